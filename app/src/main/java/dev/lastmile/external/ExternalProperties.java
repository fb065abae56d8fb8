package dev.lastmile.external;

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
 * The external system.
 *
 * @param url where jobs go
 * @param callbackUrls bases that jobs are told to call; {@code /api/callbacks/<id>} is added
 * @param connectTimeout longest wait for a connection
 * @param readTimeout longest wait for an answer
 * @param retry pause after which a job that was not accepted is submitted again, by any replica
 * @param giveUpAfter age at which an operation whose job was never accepted becomes {@code FAILED}
 * @param pollInterval pause between two looks for operations whose external system is silent
 * @param maxMessage characters of a message in an answer to such a question
 * @param concurrency submissions, and questions, that may be under way at the same time
 * @param queue new operations that may wait for their first submission; more wait for {@code retry}
 */
@Validated
@ConfigurationProperties("lastmile.external")
record ExternalProperties(
    @NotBlank @DefaultValue("http://127.0.0.1:8090") String url,
    @DefaultValue("http://127.0.0.1:8081") List<String> callbackUrls,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("1s")
        Duration connectTimeout,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("2s") Duration readTimeout,
    @DurationMin(millis = 100) @DurationMax(minutes = 5) @DefaultValue("5s") Duration retry,
    @DurationMin(seconds = 1) @DurationMax(days = 1) @DefaultValue("60s") Duration giveUpAfter,
    @DurationMin(millis = 50) @DurationMax(minutes = 5) @DefaultValue("1s") Duration pollInterval,
    @Min(1) @Max(10_000) @DefaultValue("1000") int maxMessage,
    @Min(1) @Max(1_000) @DefaultValue("16") int concurrency,
    @Min(1) @Max(1_000_000) @DefaultValue("4096") int queue) {

  ExternalProperties {
    check("url (LASTMILE_EXTERNAL_URL)", url);
    callbackUrls.forEach(base -> check("callback-urls (LASTMILE_CALLBACK_URLS)", base));
  }

  private static void check(String name, String address) {
    if (!ADDRESS.matcher(address).matches()) {
      throw new IllegalArgumentException(
          "lastmile.external." + name + " must be http:// or https:// and a host");
    }
  }

  private static final Pattern ADDRESS = Pattern.compile("https?://[^\\s/?#]+[^\\s?#]*");
}
