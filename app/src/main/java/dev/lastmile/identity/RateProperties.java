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
 * How often something may be asked for, on each replica; more is answered with 429. A number is
 * what may come at once, and what comes back, evenly, within one {@code window}.
 *
 * @param window time in which a used-up allowance is whole again
 * @param creations operations that an identity creates
 * @param creationsPerAddress operations created from an address, by whatever identities
 * @param reads operations, lists and timelines that an identity reads
 * @param acks requests with acks of an identity
 * @param streams streams that an identity opens
 * @param identitiesPerAddress identities that an address is given
 * @param remembered identities and addresses whose use is remembered, for each of these limits
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
