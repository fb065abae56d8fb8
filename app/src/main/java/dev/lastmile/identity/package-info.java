/**
 * Who asks: an opaque signed cookie, and the channel that follows from it.
 *
 * <p>No state is kept; every replica with the same key accepts the same cookies. Imports {@code
 * updates} only.
 */
@NullMarked
@ApplicationModule(allowedDependencies = "updates")
package dev.lastmile.identity;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
