package dev.lastmile.contract;

import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.responses.ApiResponse;

/** Documents, for an operation, what the server refuses by itself. */
final class ServersOwnAnswers {
  private ServersOwnAnswers() {}

  static void add(Operation operation) {
    add(operation, "400", "Invalid");
    add(operation, "431", "HeadTooLarge");
    if (operation.getRequestBody() != null) {
      add(operation, "408", "BodyTooSlow");
      add(operation, "413", "BodyTooLarge");
      add(operation, "415", "WrongType");
      add(operation, "503", "Unavailable");
    }
  }

  private static void add(Operation operation, String status, String response) {
    operation
        .getResponses()
        .putIfAbsent(status, new ApiResponse().$ref("#/components/responses/" + response));
  }
}
