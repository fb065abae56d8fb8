package dev.lastmile.http;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Limits of every HTTP request.
 *
 * @param maxBody largest request body, in bytes; a larger one is answered 413
 * @param maxBodies bytes of all request bodies that are incomplete at one time, and bytes of all
 *     that are complete and not answered, at least {@code lastmile.http.max-body}. Above it, a
 *     request with a body is answered 503
 * @param maxAnswers bytes of memory that all answers in progress with operations may hold: lists
 *     and single ones. Above it, a request for them is answered 503. Above three quarters of it,
 *     the oldest responses that take longer than 5 s and wait for their clients are closed
 * @param maxAnswersPerClient the same for one identity. Above it, such a request is answered 429
 * @param maxAnswersPerAddress the same for one client address. Above it, such a request is answered
 *     429
 * @param headTimeout time in which the request line and headers must arrive; otherwise the
 *     connection is closed
 * @param bodyTimeout time in which the request body must arrive; otherwise the request is answered
 *     408
 * @param exchangeTimeout time in which a request must be answered and the client must have read the
 *     answer; otherwise the connection is closed. Streams have limits of their own
 */
@Validated
@ConfigurationProperties("lastmile.http")
record HttpProperties(
    @Min(1_024) @Max(10_485_760) @DefaultValue("65536") int maxBody,
    @Min(65_536) @Max(1_073_741_824) @DefaultValue("16777216") int maxBodies,
    @Min(65_536) @Max(1_073_741_824) @DefaultValue("33554432") int maxAnswers,
    @Min(65_536) @Max(1_073_741_824) @DefaultValue("2097152") int maxAnswersPerClient,
    @Min(65_536) @Max(1_073_741_824) @DefaultValue("16777216") int maxAnswersPerAddress,
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
