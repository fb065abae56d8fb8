package dev.lastmile.identity;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Rate limits of one replica. A request above a limit is answered 429.
 *
 * <p>Each limit is a token bucket: the number is the burst, and the bucket refills evenly within
 * one {@code window}.
 *
 * @param window time in which an empty bucket refills completely; it applies to all limits of
 *     {@code lastmile.rate}
 * @param creations operations that one identity may create per window
 * @param creationsPerAddress operations that all identities of one client address may create
 *     together per window
 * @param reads reads of operations, lists and timelines that one identity may send per window
 * @param acks ack requests that one identity may send per window
 * @param streams streams that one identity may open per window
 * @param identitiesPerAddress identities that one client address may obtain per window
 * @param remembered identities or addresses whose use is kept in memory, for each limit. The least
 *     used entry is dropped first and then has its full allowance again
 */
@Validated
@ConfigurationProperties("lastmile.rate")
record RateProperties(
    @DurationMin(seconds = 1) @DurationMax(hours = 1) @DefaultValue("1m") Duration window,
    @Min(1) @Max(10_000_000) @DefaultValue("600") int creations,
    @Min(1) @Max(10_000_000) @DefaultValue("12000") int creationsPerAddress,
    @Min(1) @Max(10_000_000) @DefaultValue("3000") int reads,
    @Min(1) @Max(10_000_000) @DefaultValue("3000") int acks,
    @Min(1) @Max(10_000_000) @DefaultValue("300") int streams,
    @Min(1) @Max(10_000_000) @DefaultValue("6000") int identitiesPerAddress,
    @Min(16) @Max(10_000_000) @DefaultValue("100000") int remembered) {}
