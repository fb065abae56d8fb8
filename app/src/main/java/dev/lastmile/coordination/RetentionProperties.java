package dev.lastmile.coordination;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * What is kept, and how much of it.
 *
 * @param operationsPerChannel most operations of a channel; the oldest final one goes for a new
 *     one, and if none is final the new one is refused (429)
 * @param afterFinal how long an operation is kept after its final status
 * @param replicas how long the totals of a replica that is gone are kept; its series end after that
 * @param versions versions that the timeline of an operation keeps
 * @param idempotencyKeys how long an {@code Idempotency-Key} is remembered
 * @param sweepInterval how often each replica deletes what is over its time
 * @param pageOperations most operations in one read of a channel's changes
 * @param pageBytes bytes after which such a read ends
 */
@Validated
@ConfigurationProperties("lastmile.retention")
record RetentionProperties(
    @Min(1) @Max(10_000) @DefaultValue("200") int operationsPerChannel,
    @DurationMin(seconds = 1) @DurationMax(days = 365) @DefaultValue("24h") Duration afterFinal,
    @DurationMin(minutes = 1) @DurationMax(days = 365) @DefaultValue("24h") Duration replicas,
    @Min(1) @Max(1_000) @DefaultValue("20") int versions,
    @DurationMin(seconds = 1) @DurationMax(days = 30) @DefaultValue("24h") Duration idempotencyKeys,
    @DurationMin(millis = 100) @DurationMax(hours = 1) @DefaultValue("30s") Duration sweepInterval,
    @Min(1) @Max(1_000) @DefaultValue("64") int pageOperations,
    @Min(1_024) @Max(1_048_576) @DefaultValue("262144") int pageBytes) {}
