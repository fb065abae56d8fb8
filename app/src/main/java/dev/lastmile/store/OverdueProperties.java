package dev.lastmile.store;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Operations whose external system has stopped reporting.
 *
 * @param after time without a report after which the external system is polled
 * @param lease time for which one replica polls an operation exclusively, and the delay until the
 *     next poll after no answer
 */
@Validated
@ConfigurationProperties("lastmile.overdue")
record OverdueProperties(
    @DurationMin(millis = 100) @DurationMax(days = 1) @DefaultValue("30s") Duration after,
    @DurationMin(millis = 100) @DurationMax(hours = 1) @DefaultValue("10s") Duration lease) {}
