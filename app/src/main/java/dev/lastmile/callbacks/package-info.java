/**
 * The external system's side: signed webhooks that report how an operation goes.
 *
 * <p>Any replica takes any callback. A 2xx means that Redis has stored it; any other answer means
 * all or nothing, and sending again is safe.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"coordination", "telemetry", "updates"})
package dev.lastmile.callbacks;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
