package dev.lastmile.demo;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The demonstration.
 *
 * @param externalUrl the simulated external system, which has some of the faults
 * @param externalTimeout longest wait for its answer
 * @param faultEndsAfter time after which a fault that was switched on ends by itself; switching it
 *     on again begins anew
 * @param interval pause between two looks of a replica at which faults it is to have; so often it
 *     also tells the others what it has counted
 * @param summaryEndsAfter time after which what a replica has told is no longer believed
 * @param grafanaUrl a Grafana that has the traces, for links; empty if there is none
 */
@Validated
@ConfigurationProperties("lastmile.demo")
record DemoProperties(
    @DefaultValue("http://127.0.0.1:8090") String externalUrl,
    @DurationMin(millis = 10) @DurationMax(seconds = 10) @DefaultValue("500ms")
        Duration externalTimeout,
    @DurationMin(seconds = 1) @DurationMax(days = 1) @DefaultValue("10m") Duration faultEndsAfter,
    @DurationMin(millis = 50) @DurationMax(seconds = 10) @DefaultValue("500ms") Duration interval,
    @DurationMin(seconds = 1) @DurationMax(minutes = 1) @DefaultValue("5s")
        Duration summaryEndsAfter,
    @Nullable String grafanaUrl) {}
