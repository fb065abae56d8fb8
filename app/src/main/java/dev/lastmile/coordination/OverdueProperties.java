package dev.lastmile.coordination;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Operations of which nothing is heard any more.
 *
 * @param after silence of the external system after which it is asked
 * @param lease how long a replica that took an operation to ask for has it to itself; also the
 *     pause after which it is asked for again if there was no answer
 */
@Validated
@ConfigurationProperties("lastmile.overdue")
record OverdueProperties(
    @DurationMin(millis = 100) @DurationMax(days = 1) @DefaultValue("30s") Duration after,
    @DurationMin(millis = 100) @DurationMax(hours = 1) @DefaultValue("10s") Duration lease) {}
