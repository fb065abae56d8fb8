/**
 * Who asks: an opaque signed cookie, the channel that follows from it, and how much of everything
 * it may ask for.
 *
 * <p>Of identities no state is kept; every replica with the same key accepts the same cookies. What
 * was asked for is counted per replica. Imports {@code telemetry} and {@code updates}.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"telemetry", "updates"})
package dev.lastmile.identity;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
