/**
 * The values that all other packages use: ids, channel, cursor, update, envelope.
 *
 * <p>All are immutable and thread-safe, without Spring and without I/O. Parsers of input throw
 * {@link dev.lastmile.updates.InvalidValueException}, for which the HTTP layer returns 400. Imports
 * no other package of the project.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.lastmile.updates;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
