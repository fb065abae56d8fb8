package dev.lastmile.operations;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;
import java.time.Duration;
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
 */
@Validated
@ConfigurationProperties("lastmile.operations")
record OperationsProperties(
    @NotEmpty @DefaultValue({"export", "import", "report"}) Set<String> kinds,
    @Min(1) @Max(256) @DefaultValue("256") int acksPerRequest,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("5s")
        Duration submitLease) {}
