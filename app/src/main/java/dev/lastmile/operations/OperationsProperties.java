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
 * What browsers may ask for.
 *
 * @param kinds kinds of operations that can be created
 * @param acksPerRequest most acks in one request
 * @param submitLease how long the replica that created an operation has to submit its job before
 *     another one does
 */
@Validated
@ConfigurationProperties("lastmile.operations")
record OperationsProperties(
    @NotEmpty @DefaultValue({"export", "import", "report"}) Set<String> kinds,
    @Min(1) @Max(256) @DefaultValue("256") int acksPerRequest,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("5s")
        Duration submitLease) {}
