package dev.lastmile.operations;

import dev.lastmile.http.RequestProblem;
import org.springframework.http.HttpStatus;

/** Rejections that several endpoints of operations have in common. */
final class OperationProblem {
  private OperationProblem() {}

  /**
   * 404 for an operation that does not belong to this identity. The response does not reveal
   * whether it exists.
   */
  static RequestProblem notFound(String id) {
    return new RequestProblem(
        HttpStatus.NOT_FOUND,
        "no operation " + (id.length() <= 64 ? id : id.substring(0, 64) + "..."),
        "operationId");
  }
}
