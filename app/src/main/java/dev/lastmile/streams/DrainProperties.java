package dev.lastmile.streams;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The steps of a drain after SIGTERM. Their sum, with {@code settle} counted twice, must be less
 * than the grace period of the platform (45 s).
 *
 * @param balancer time for which the replica works on after readiness is off, so that the load
 *     balancer stops sending requests
 * @param streams time over which the streams are closed
 * @param settle longest wait until the ledger expects nothing more of this replica; it applies
 *     twice, before and after the lease is given back
 * @param scrape longest wait for one more scrape of the final metrics
 */
@Validated
@ConfigurationProperties("lastmile.drain")
record DrainProperties(
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("6s") Duration balancer,
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("15s") Duration streams,
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("6s") Duration settle,
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("6s") Duration scrape) {}
