package dev.lastmile.updates;

import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Correlates everything that one click causes: state, envelope, stream, ack, logs, trace.
 *
 * @param value 8 to 64 letters, digits, dots, underscores or hyphens; no character that could end a
 *     log line, a header or a frame
 */
public record CorrelationId(String value) {
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9._-]{8,64}");

  public CorrelationId {
    if (!FORM.matcher(value).matches()) {
      throw new InvalidValueException(
          "X-Correlation-Id", "8 to 64 letters, digits, dots, underscores or hyphens");
    }
  }

  /** A new random id. */
  public static CorrelationId random() {
    return new CorrelationId(UUID.randomUUID().toString());
  }

  @Override
  public String toString() {
    return value;
  }
}
