package dev.lastmile.operations;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** A request that names something which is not there, or cannot be had. */
final class OperationProblem extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  /**
   * @param field where in the request the reason stands
   */
  OperationProblem(HttpStatus status, String field, String detail) {
    super(status, problem(status, field, detail), null);
  }

  /** An operation that this identity does not have; whether another one has it is not told. */
  static OperationProblem notFound(String id) {
    return new OperationProblem(
        HttpStatus.NOT_FOUND,
        "operationId",
        "no operation " + (id.length() <= 64 ? id : id.substring(0, 64) + "..."));
  }

  private static ProblemDetail problem(HttpStatus status, String field, String detail) {
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
    problem.setProperty("field", field);
    return problem;
  }
}
