package dev.lastmile.identity;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** This identity, or this address, asks too often: 429. */
final class TooManyRequestsException extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  TooManyRequestsException(RateLimits.Limit limit, int most, long seconds) {
    super(HttpStatus.TOO_MANY_REQUESTS, problem(limit, most), null);
    getHeaders().add(HttpHeaders.RETRY_AFTER, Long.toString(seconds));
  }

  private static ProblemDetail problem(RateLimits.Limit limit, int most) {
    ProblemDetail problem =
        ProblemDetail.forStatusAndDetail(
            HttpStatus.TOO_MANY_REQUESTS, "too often: at most " + most + " at once; wait");
    problem.setProperty("field", "lastmile.rate." + limit.property());
    problem.setProperty("limit", most);
    return problem;
  }
}
