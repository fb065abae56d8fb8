package dev.lastmile;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * What holds for every request.
 *
 * @param maxBody bytes of a request's body; more are answered with 413
 * @param maxBodies bytes of all bodies that are being waited for at one moment, at least {@code
 *     maxBody}; above it whoever has not sent a whole one is answered with 503
 * @param headTimeout time in which a request's line and headers must have come; its connection is
 *     cut otherwise
 * @param bodyTimeout time in which a request's body must have come; answered with 408 otherwise
 * @param exchangeTimeout time in which a request must have been answered and the answer read; its
 *     connection is cut otherwise; streams have limits of their own
 */
@Validated
@ConfigurationProperties("lastmile.http")
record HttpProperties(
    @Min(1_024) @Max(10_485_760) @DefaultValue("65536") int maxBody,
    @Min(65_536) @Max(1_073_741_824) @DefaultValue("33554432") int maxBodies,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("10s") Duration headTimeout,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("10s") Duration bodyTimeout,
    @DurationMin(seconds = 1) @DurationMax(hours = 1) @DefaultValue("2m")
        Duration exchangeTimeout) {
  HttpProperties {
    if (maxBodies < maxBody) {
      throw new IllegalArgumentException(
          "lastmile.http.max-bodies must be at least lastmile.http.max-body");
    }
  }
}
