package dev.lastmile.connections;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * What a replica takes its time for when it is asked to stop. All together they must be less than
 * the grace period of whoever stops it (40 s).
 *
 * @param balancer time in which the load balancer sees that readiness is off; all goes on meanwhile
 * @param streams longest time over which the streams are ended
 * @param settle longest wait until the ledger expects nothing of this replica any more
 * @param scrape longest wait for one more scrape of the last figures
 */
@Validated
@ConfigurationProperties("lastmile.drain")
record DrainProperties(
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("6s") Duration balancer,
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("15s") Duration streams,
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("6s") Duration settle,
    @DurationMin(millis = 0) @DurationMax(minutes = 5) @DefaultValue("6s") Duration scrape) {}
