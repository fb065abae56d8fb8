package dev.lastmile.demo.page;

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
 * @param externalUrl base URL of the simulated external system, which plays some of the faults
 * @param externalTimeout time in which the simulated external system must answer
 * @param faultEndsAfter time after which a fault ends by itself; switching it on again restarts the
 *     time
 * @param interval interval at which a replica reads its faults and publishes its own counters
 * @param summaryEndsAfter age at which the counters of another replica are no longer shown
 * @param grafanaUrl base URL of a Grafana with the traces, for links; empty for none
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
