package dev.lastmile.demo.load;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.net.URI;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The load generator and its simulated browsers.
 *
 * @param url base URL of the service: a load balancer or a replica
 * @param slowUrl base URL for slow readers; use a replica, since a load balancer would buffer for
 *     them
 * @param browsers simulated browsers, each with an identity and a stream
 * @param updatesPerSecond updates per second that the service publishes for all browsers, on
 *     average
 * @param steps reports per job; an operation has one version more
 * @param duration duration of a job
 * @param concurrency creations that may run at the same time; a creation that comes due above it is
 *     counted as skipped
 * @param slowReaders largest number of browsers that can be told to read slowly
 * @param silence silence of a stream after which the browser reconnects
 * @param reconcile interval of list requests while an operation is not final; otherwise six times
 *     as long
 * @param acks interval between two batches of acks
 * @param timeout time in which a request must be answered
 * @param bound time after which a browser that does not show the authoritative state counts as
 *     wrong
 */
@Validated
@ConfigurationProperties("lastmile.load")
record LoadProperties(
    @DefaultValue("http://127.0.0.1:8081") URI url,
    @DefaultValue("http://127.0.0.1:8081") URI slowUrl,
    @Min(1) @Max(2_000) @DefaultValue("60") int browsers,
    @Min(1) @Max(1_000) @DefaultValue("25") int updatesPerSecond,
    @Min(1) @Max(100) @DefaultValue("4") int steps,
    @DurationMin(millis = 0) @DurationMax(minutes = 10) @DefaultValue("3s") Duration duration,
    @Min(1) @Max(1_000) @DefaultValue("32") int concurrency,
    @Min(0) @Max(100) @DefaultValue("20") int slowReaders,
    @DurationMin(seconds = 1) @DurationMax(minutes = 10) @DefaultValue("25s") Duration silence,
    @DurationMin(millis = 100) @DurationMax(minutes = 10) @DefaultValue("10s") Duration reconcile,
    @DurationMin(millis = 10) @DurationMax(minutes = 1) @DefaultValue("500ms") Duration acks,
    @DurationMin(millis = 100) @DurationMax(minutes = 1) @DefaultValue("5s") Duration timeout,
    @DurationMin(seconds = 1) @DurationMax(minutes = 10) @DefaultValue("15s") Duration bound) {}
