package dev.lastmile.operations;

import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.JsonText;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The body of {@code POST /api/operations}.
 *
 * @param input the input of this kind of operation: an object, or absent
 */
record CreationRequest(@Nullable String kind, @Nullable JsonNode input) {
  /** The kind, checked against the configured kinds. */
  String validKind(OperationsProperties properties) {
    if (kind == null || !properties.kinds().contains(kind)) {
      throw new InvalidValueException(
          "kind", "one of " + String.join(", ", properties.kinds().stream().sorted().toList()));
    }
    return kind;
  }

  /** The input as JSON text. */
  String validInput() {
    if (input == null || input.isNull()) {
      return "{}";
    }
    if (!input.isObject()) {
      throw new InvalidValueException("input", "a JSON object");
    }
    return JsonText.of("input", input);
  }
}
