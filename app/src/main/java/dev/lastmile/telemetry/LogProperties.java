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
 * The log. {@code logback-spring.xml} reads the same properties.
 *
 * @param format format of stdout: {@code json}, or {@code text} for reading in a terminal
 * @param file file to which JSON is written as well; empty for none. Three older files are kept
 *     beside it
 * @param fileSize size at which a new file is started, {@code 1MB} to {@code 10GB}
 * @param queue log events that may wait for the output, a power of two. Events that find the queue
 *     full are dropped and counted
 * @param burst times that the same event of level INFO or above is written per {@code interval}.
 *     Further ones are counted, and the next one that is written carries their number
 * @param interval interval of {@code burst}
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
