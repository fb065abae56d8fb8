package dev.lastmile.store;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Retention of operations and totals, and the size of reads.
 *
 * @param operationsPerChannel operations of one channel. A new one replaces the oldest final one;
 *     if none is final, the new one is rejected (429)
 * @param afterFinal time that an operation is kept after its final status
 * @param replicas time that the totals of a lost replica are kept; after it its series end
 * @param versions versions that the timeline of an operation keeps
 * @param idempotencyKeys time that an {@code Idempotency-Key} is kept
 * @param sweepInterval interval at which expired data is deleted
 * @param pageOperations operations in one read of a channel's changes
 * @param pageBytes bytes in one read of a channel's changes; it has one operation at least
 */
@Validated
@ConfigurationProperties("lastmile.retention")
public record RetentionProperties(
    @Min(1) @Max(10_000) @DefaultValue("200") int operationsPerChannel,
    @DurationMin(seconds = 1) @DurationMax(days = 365) @DefaultValue("24h") Duration afterFinal,
    @DurationMin(minutes = 1) @DurationMax(days = 365) @DefaultValue("24h") Duration replicas,
    @Min(1) @Max(1_000) @DefaultValue("20") int versions,
    @DurationMin(seconds = 1) @DurationMax(days = 30) @DefaultValue("24h") Duration idempotencyKeys,
    @DurationMin(millis = 100) @DurationMax(hours = 1) @DefaultValue("30s") Duration sweepInterval,
    @Min(1) @Max(1_000) @DefaultValue("64") int pageOperations,
    @Min(1_024) @Max(1_048_576) @DefaultValue("65536") int pageBytes) {}
