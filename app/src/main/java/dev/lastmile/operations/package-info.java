/**
 * The browser's side over HTTP: create, read, list, timeline, acks.
 *
 * <p>Everything is asked for by the owner's cookie: another identity's operation does not exist.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"coordination", "identity", "telemetry", "updates"})
package dev.lastmile.operations;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
