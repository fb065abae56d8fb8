/**
 * The webhook endpoint for external systems: signed callbacks that report an operation's progress.
 *
 * <p>Any replica accepts any callback. A 2xx response means that Redis has stored it. After any
 * other response it may or may not have been stored, and sending again is safe.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"http", "jobs", "redis", "store", "telemetry", "updates"})
package dev.lastmile.callbacks;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
