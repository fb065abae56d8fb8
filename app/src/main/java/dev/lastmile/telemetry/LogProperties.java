package dev.lastmile.telemetry;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Pattern;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * The log; {@code logback-spring.xml} reads the same properties.
 *
 * @param format of stdout: {@code json}, or {@code text} for a person at a terminal
 * @param file where JSON is written as well, with three older ones beside it; empty for nowhere
 * @param fileSize at which a new file is begun
 * @param queue events that may wait for the output, a power of two; what finds it full is counted
 *     and left out
 * @param burst how often the same event is written within {@code interval}, from INFO upwards; what
 *     is left out is counted, and the next one says how many there were
 * @param interval for {@code burst}
 */
@Validated
@ConfigurationProperties("lastmile.log")
record LogProperties(
    @DefaultValue("json") @Pattern(regexp = "json|text") String format,
    @DefaultValue("") String file,
    @DefaultValue("50MB") DataSize fileSize,
    @DefaultValue("8192") @Min(128) @Max(1_048_576) int queue,
    @DefaultValue("20") @Min(1) @Max(1_000_000) int burst,
    @DefaultValue("10s") @DurationMin(seconds = 1) @DurationMax(hours = 1) Duration interval) {

  LogProperties {
    if (fileSize.toMegabytes() < 1 || fileSize.toGigabytes() > 10) {
      throw new IllegalArgumentException("lastmile.log.file-size must be 1MB to 10GB");
    }
    if (Integer.bitCount(queue) != 1) {
      throw new IllegalArgumentException("lastmile.log.queue must be a power of two");
    }
  }
}
