/**
 * Operations in Redis: create, change, read, ack, timeline and retention.
 *
 * <p>Each change is one script: state, sequence, timeline, expected deliveries and publication are
 * written together or not at all.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"redis", "telemetry", "updates"})
package dev.lastmile.store;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
