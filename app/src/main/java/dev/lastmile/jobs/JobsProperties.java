package dev.lastmile.jobs;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The client of the external system.
 *
 * @param url base URL of the external system; jobs are sent to it
 * @param callbackUrls base URLs that a job is told to call; {@code /api/callbacks/<id>} is appended
 * @param connectTimeout connect timeout of requests to the external system
 * @param readTimeout time in which the external system must answer a request
 * @param retry delay before a job that was not accepted is submitted again, by any replica
 * @param giveUpAfter age at which an operation whose job was never accepted becomes {@code FAILED}
 * @param pollInterval interval of the search for operations whose external system is silent
 * @param maxMessage length at which the {@code message} in the external system's answer to a poll
 *     is cut, in characters
 * @param maxAnswer largest answer of the external system, in bytes; a larger one counts as failed
 * @param concurrency submissions that run at the same time; the same limit holds for polls
 * @param queue new operations that may wait for their first submission. Further ones wait for
 *     {@code retry}
 */
@Validated
@ConfigurationProperties("lastmile.jobs")
record JobsProperties(
    @NotBlank @DefaultValue("http://127.0.0.1:8090") String url,
    @DefaultValue("http://127.0.0.1:8081") List<String> callbackUrls,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("1s")
        Duration connectTimeout,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("2s") Duration readTimeout,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("5s") Duration retry,
    @DurationMin(seconds = 1) @DurationMax(days = 1) @DefaultValue("60s") Duration giveUpAfter,
    @DurationMin(millis = 50) @DurationMax(minutes = 5) @DefaultValue("1s") Duration pollInterval,
    @Min(1) @Max(10_000) @DefaultValue("1000") int maxMessage,
    @Min(1_024) @Max(10_485_760) @DefaultValue("65536") int maxAnswer,
    @Min(1) @Max(1_000) @DefaultValue("16") int concurrency,
    @Min(1) @Max(1_000_000) @DefaultValue("4096") int queue) {

  JobsProperties {
    check("url (LASTMILE_JOBS_URL)", url);
    callbackUrls.forEach(base -> check("callback-urls (LASTMILE_JOBS_CALLBACK_URLS)", base));
  }

  private static void check(String name, String address) {
    if (!ADDRESS.matcher(address).matches()) {
      throw new IllegalArgumentException(
          "lastmile.jobs." + name + " must be http:// or https:// and a host");
    }
  }

  private static final Pattern ADDRESS = Pattern.compile("https?://[^\\s/?#]+[^\\s?#]*");
}
