package dev.lastmile.load;

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
 * How much load is made, and how patient its browsers are.
 *
 * @param url where the service is: a load balancer, or a replica
 * @param slowUrl where slow readers go; a replica itself, since a balancer's buffers would read for
 *     them
 * @param browsers clients with an identity and a stream each
 * @param updatesPerSecond updates that the service publishes for them, on average
 * @param steps reports of a job, so an operation has one version more
 * @param duration how long a job takes
 * @param concurrency creations that may be under way; what comes due while all are is counted as
 *     skipped
 * @param slowReaders most clients that may be told to read slowly
 * @param silence longest silence of a stream before the client comes back
 * @param reconcile pause between two lists while something is not final; six of them otherwise
 * @param acks pause between two batches of acks
 * @param timeout for an answer
 * @param bound after which a client that does not show what state says counts as wrong
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
