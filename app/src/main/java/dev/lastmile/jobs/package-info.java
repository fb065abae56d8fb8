/**
 * Client of the external system: submits jobs, and polls jobs without a report for too long.
 *
 * <p>The replica that created an operation submits its job; any replica submits it again until it
 * is accepted or the submission is abandoned. The job id is the operation id, so a repeated
 * submission has no effect.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"redis", "store", "telemetry", "updates"})
package dev.lastmile.jobs;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
