package dev.lastmile.identity;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** Another site's page made the browser send this: 403. */
final class CrossSiteException extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  CrossSiteException(String header) {
    super(HttpStatus.FORBIDDEN, problem(header), null);
  }

  private static ProblemDetail problem(String header) {
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatus.FORBIDDEN, "requests that change something must come from the same origin");
    problem.setProperty("field", header);
    return problem;
  }
}
