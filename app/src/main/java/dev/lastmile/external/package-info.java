/**
 * Hands jobs to the external system.
 *
 * <p>A job is submitted right after its operation was created, by the replica that created it, and
 * again by any replica until it is accepted or given up; its id is the operation's, so twice is
 * once.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"coordination", "telemetry", "updates"})
package dev.lastmile.external;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
