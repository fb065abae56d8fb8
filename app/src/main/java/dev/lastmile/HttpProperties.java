package dev.lastmile;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * What holds for every request.
 *
 * @param maxBody bytes of a request's body; more are answered with 413
 */
@Validated
@ConfigurationProperties("lastmile.http")
record HttpProperties(@Min(1_024) @Max(10_485_760) @DefaultValue("65536") int maxBody) {}
