package dev.lastmile.operations;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** The channel is full of operations that are not final yet: 429. */
final class TooManyOperationsException extends ErrorResponseException {
  private static final long serialVersionUID = 1L;
  private static final String RETRY_AFTER_SECONDS = "5";

  TooManyOperationsException(int limit) {
    super(HttpStatus.TOO_MANY_REQUESTS, problem(limit), null);
    getHeaders().add(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS);
  }

  private static ProblemDetail problem(int limit) {
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatus.TOO_MANY_REQUESTS, limit + " operations are pending; wait until one ends");
    problem.setProperty("field", "lastmile.retention.operations-per-channel");
    problem.setProperty("limit", limit);
    return problem;
  }
}
