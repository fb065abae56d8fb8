package dev.lastmile.coordination;

import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.JsonText;
import dev.lastmile.updates.OperationStatus;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the external system says of an operation, by itself or when asked. Members that we do not
 * know are ignored, so that the external system may grow.
 *
 * @param revision the external system's number, from 1, strictly rising per operation
 * @param state what becomes of the operation
 * @param operation which one it is about, as it says itself; empty if it does not
 */
public record Report(long revision, NewState state, String operation) {
  private static final long MAX_REVISION = (1L << 53) - 1;

  /**
   * Reads a report.
   *
   * @param body JSON: {@code revision}, {@code status} and perhaps {@code progress}, {@code
   *     message}, {@code result}
   * @param receivedAtMicros Redis time
   * @param maxMessage characters of a message
   * @throws InvalidValueException if a member is missing or out of range
   */
  public static Report parse(
      JsonMapper mapper, byte[] body, long receivedAtMicros, int maxMessage) {
    JsonNode json;
    try {
      json = mapper.readTree(body);
    } catch (JacksonException | ArithmeticException | NumberFormatException e) {
      // The last two: a number that no arithmetic here can hold.
      throw new InvalidValueException("body", "a JSON object");
    }
    if (!json.isObject()) {
      throw new InvalidValueException("body", "a JSON object");
    }
    long revision = whole("revision", json.path("revision"), 1, MAX_REVISION);
    OperationStatus status = status(json.path("status"));
    NewState state =
        new NewState(
            status,
            progress(json.path("progress"), status),
            message(json.path("message"), maxMessage),
            result(json.path("result")),
            receivedAtMicros);
    return new Report(revision, state, operation(json.path("operationId")));
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

  /** In JSON 2.0 is a whole number too. */
  private static long whole(String field, JsonNode node, long least, long most) {
    try {
      if (node.isNumber()) {
        long number = node.decimalValue().longValueExact();
        if (number >= least && number <= most) {
          return number;
        }
      }
    } catch (ArithmeticException e) {
      // Not whole, or too large: said below.
    }
    throw new InvalidValueException(field, "a whole number from " + least + " to " + most);
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
    if (node.isMissingNode() || node.isNull()) {
      return status == OperationStatus.SUCCEEDED ? 100 : null;
    }
    return (int) whole("progress", node, 0, 100);
  }

  private static @Nullable String message(JsonNode node, int max) {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    if (!node.isString()
        || node.asString().codePointCount(0, node.asString().length()) > max
        || !JsonText.isUnicode(node.asString())) {
      throw new InvalidValueException("message", "a text of at most " + max + " characters");
    }
    return node.asString();
  }

  private static @Nullable String result(JsonNode node) {
    return node.isMissingNode() || node.isNull() ? null : JsonText.of("result", node);
  }
}
