package dev.lastmile.http;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** The rejection of a request: the status, the problem detail and the headers of its response. */
public final class RequestProblem extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  public RequestProblem(HttpStatus status, String detail) {
    super(status, ProblemDetail.forStatusAndDetail(status, detail), null);
  }

  /**
   * @param field the location of the error in the request
   */
  public RequestProblem(HttpStatus status, String detail, String field) {
    this(status, detail);
    getBody().setProperty("field", field);
  }

  /**
   * @param field the location of the error in the request, or the setting with the limit
   * @param limit the limit that the request exceeds, or the values that are accepted
   */
  public RequestProblem(HttpStatus status, String detail, String field, Object limit) {
    this(status, detail, field);
    getBody().setProperty("limit", limit);
  }

  /** Sets the time after which the client may repeat the request ({@code Retry-After}). */
  @CanIgnoreReturnValue
  public RequestProblem retryAfter(long seconds) {
    getHeaders().set(HttpHeaders.RETRY_AFTER, Long.toString(seconds));
    return this;
  }
}
