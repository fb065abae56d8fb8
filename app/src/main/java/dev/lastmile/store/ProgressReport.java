package dev.lastmile.store;

import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.JsonText;
import dev.lastmile.updates.OperationStatus;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A report of the external system on an operation, by callback or by poll. Unknown members are
 * ignored, so that the external system may add members.
 *
 * <p>An outcome is not lost for a detail that is only shown:
 *
 * <ul>
 *   <li>An unpaired surrogate in {@code message} or {@code result}, and bytes that are not UTF-8,
 *       become U+FFFD. Control characters may be unescaped.
 *   <li>A longer {@code message} is cut. One that is no text becomes its JSON text.
 *   <li>An invalid {@code progress} is ignored if the status is final.
 * </ul>
 *
 * @param revision number from 1, strictly increasing per operation
 * @param state the new state
 * @param operation operation id in the report; empty if it has none
 */
public record ProgressReport(long revision, StateChange state, String operation) {
  private static final int ENCODING_BYTES = 4;
  private static final long MAX_REVISION = (1L << 53) - 1;

  /**
   * Parses a report.
   *
   * @param body JSON: {@code revision}, {@code status}, and optionally {@code progress}, {@code
   *     message}, {@code result} and {@code operationId}
   * @param receivedAtMicros Redis time
   * @param maxMessage length at which the message is cut, in characters
   * @throws InvalidValueException if a member is missing or out of range
   */
  public static ProgressReport parse(
      JsonMapper mapper, byte[] body, long receivedAtMicros, int maxMessage) {
    return of(object(mapper, body), receivedAtMicros, maxMessage);
  }

  /**
   * Parses the answer to a poll; empty if the job has not started, that is, its status is {@code
   * PENDING}. Otherwise as {@link #parse}.
   */
  public static Optional<ProgressReport> parsePolled(
      JsonMapper mapper, byte[] body, long receivedAtMicros, int maxMessage) {
    JsonNode json = object(mapper, body);
    return json.path("status").asString("").equals("PENDING")
        ? Optional.empty()
        : Optional.of(of(json, receivedAtMicros, maxMessage));
  }

  private static JsonNode object(JsonMapper mapper, byte[] body) {
    try {
      JsonNode json = read(mapper, body);
      if (json.isObject()) {
        return json;
      }
    } catch (JacksonException e) {
      throw new InvalidValueException("body", "JSON that can be read: " + JsonText.reason(e));
    } catch (ArithmeticException | NumberFormatException e) {
      // Out of the range of BigDecimal.
      throw new InvalidValueException("body", "JSON with numbers in the supported range");
    }
    throw new InvalidValueException("body", "a JSON object");
  }

  private static JsonNode read(JsonMapper mapper, byte[] body) {
    try {
      return mapper.readTree(body);
    } catch (JacksonException e) {
      // The text may have another encoding, or line breaks that are not escaped.
      return mapper
          .reader()
          .with(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
          .readTree(text(body));
    }
  }

  /** The text, with U+FFFD for what cannot be decoded, and without a byte order mark. */
  private static String text(byte[] body) {
    String text = new String(body, charset(body));
    return text.startsWith("\ufeff") ? text.substring(1) : text;
  }

  /**
   * The encoding. JSON begins with ASCII characters, so it follows from the zeros among the first
   * bytes (RFC 4627, section 3) or from a byte order mark.
   */
  private static Charset charset(byte[] body) {
    int zeros = 0;
    for (int i = 0; i < ENCODING_BYTES; i++) {
      zeros = 2 * zeros + (i < body.length && body[i] == 0 ? 1 : 0);
    }
    return switch (zeros) {
      case 0b1110, 0b1100 -> StandardCharsets.UTF_32BE;
      case 0b0111, 0b0011 -> StandardCharsets.UTF_32LE;
      case 0b1010, 0b0010 -> StandardCharsets.UTF_16BE;
      case 0b0101, 0b0001 -> StandardCharsets.UTF_16LE;
      default -> StandardCharsets.UTF_8;
    };
  }

  private static ProgressReport of(JsonNode json, long receivedAtMicros, int maxMessage) {
    long revision = whole("revision", json.path("revision"), 1, MAX_REVISION);
    OperationStatus status = status(json.path("status"));
    StateChange state =
        new StateChange(
            status,
            progress(json.path("progress"), status),
            message(json.path("message"), maxMessage),
            result(json.path("result")),
            receivedAtMicros);
    return new ProgressReport(revision, state, operation(json.path("operationId")));
  }

  private static String operation(JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return "";
    }
    if (!node.isString()) {
      throw new InvalidValueException("operationId", "the id of the operation");
    }
    return node.asString();
  }

  private static long whole(String field, JsonNode node, long least, long most) {
    return whole(node, least, most)
        .orElseThrow(
            () -> new InvalidValueException(field, "a whole number from " + least + " to " + most));
  }

  /** A whole number in this range, otherwise nothing; in JSON, 2.0 is a whole number too. */
  private static OptionalLong whole(JsonNode node, long least, long most) {
    try {
      if (node.isNumber()) {
        long number = node.decimalValue().longValueExact();
        if (number >= least && number <= most) {
          return OptionalLong.of(number);
        }
      }
    } catch (ArithmeticException e) {
      // Not whole, or too large.
    }
    return OptionalLong.empty();
  }

  private static OperationStatus status(JsonNode node) {
    return switch (node.isString() ? node.asString() : "") {
      case "RUNNING" -> OperationStatus.RUNNING;
      case "SUCCEEDED" -> OperationStatus.SUCCEEDED;
      case "FAILED" -> OperationStatus.FAILED;
      default -> throw new InvalidValueException("status", "RUNNING, SUCCEEDED or FAILED");
    };
  }

  private static @Nullable Integer progress(JsonNode node, OperationStatus status) {
    boolean absent = node.isMissingNode() || node.isNull();
    if (absent || (status.isFinal() && whole(node, 0, 100).isEmpty())) {
      return status == OperationStatus.SUCCEEDED ? 100 : null;
    }
    return (int) whole("progress", node, 0, 100);
  }

  private static @Nullable String message(JsonNode node, int max) {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    String text = JsonText.repaired(node.isString() ? node.asString() : node.toString());
    if (text.codePointCount(0, text.length()) <= max) {
      return text;
    }
    return text.substring(0, text.offsetByCodePoints(0, max - 1)) + "…";
  }

  private static @Nullable String result(JsonNode node) {
    return node.isMissingNode() || node.isNull() ? null : JsonText.repaired(node.toString());
  }
}
