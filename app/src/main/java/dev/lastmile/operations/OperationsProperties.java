package dev.lastmile.operations;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Limits of the requests of browsers.
 *
 * @param kinds kinds of operations that can be created
 * @param acksPerRequest acks per request
 * @param submitLease time in which the replica that created an operation must submit its job; after
 *     it another replica does
 * @param deadline age at which an operation without an outcome becomes {@code FAILED}. A first
 *     outcome that the external system reports later replaces it
 * @param deadlines deadlines of single kinds, for example {@code
 *     lastmile.operations.deadlines.export=1h}
 */
@Validated
@ConfigurationProperties("lastmile.operations")
record OperationsProperties(
    @NotEmpty @DefaultValue({"export", "import", "report"}) Set<String> kinds,
    @Min(1) @Max(256) @DefaultValue("256") int acksPerRequest,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("5s") Duration submitLease,
    @DurationMin(seconds = 1) @DurationMax(days = 365) @DefaultValue("24h") Duration deadline,
    @DefaultValue
        Map<String, @DurationMin(seconds = 1) @DurationMax(days = 365) Duration> deadlines) {
  OperationsProperties {
    for (String kind : deadlines.keySet()) {
      if (!kinds.contains(kind)) {
        throw new IllegalArgumentException(
            "lastmile.operations.deadlines." + kind + ": " + kind + " is not a kind");
      }
    }
  }

  /** The deadline of an operation of this kind. */
  Duration deadlineOf(String kind) {
    return deadlines.getOrDefault(kind, deadline);
  }
}
