/**
 * The catalogue of hops and the one call that records each of them.
 *
 * <p>Call sites name a {@link dev.lastmile.telemetry.Hop} and an outcome, never strings.
 * Thread-safe. Imports {@code updates} only.
 */
@NullMarked
@ApplicationModule(allowedDependencies = "updates")
package dev.lastmile.telemetry;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
