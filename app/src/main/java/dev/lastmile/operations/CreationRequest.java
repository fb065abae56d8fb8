package dev.lastmile.operations;

import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.JsonText;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Body of {@code POST /api/operations}.
 *
 * @param input whatever this kind of work needs: an object, or nothing
 */
record CreationRequest(@Nullable String kind, @Nullable JsonNode input) {
  /** The kind, if it is one of those that can be created. */
  String validKind(OperationsProperties properties) {
    if (kind == null || !properties.kinds().contains(kind)) {
      throw new InvalidValueException(
          "kind", "one of " + String.join(", ", properties.kinds().stream().sorted().toList()));
    }
    return kind;
  }

  /** The input as a JSON text. */
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
