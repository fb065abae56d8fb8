package dev.lastmile.callbacks;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** A webhook that is not taken. */
final class CallbackProblem extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  CallbackProblem(HttpStatus status, String field, String detail) {
    super(status, problem(status, field, detail), null);
  }

  private static ProblemDetail problem(HttpStatus status, String field, String detail) {
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
    problem.setProperty("field", field);
    return problem;
  }
}
