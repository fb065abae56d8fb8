/**
 * The values that every other package speaks of: ids, channel, cursor, update, envelope.
 *
 * <p>Immutable, thread-safe, without Spring and without I/O. What reads input from outside throws
 * {@link dev.lastmile.updates.InvalidValueException}, which the HTTP layer answers with 400.
 * Imports nothing of ours.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.lastmile.updates;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
