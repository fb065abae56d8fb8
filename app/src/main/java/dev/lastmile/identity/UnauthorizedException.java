package dev.lastmile.identity;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** The request has no cookie of ours: 401. */
final class UnauthorizedException extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  UnauthorizedException() {
    super(
        HttpStatus.UNAUTHORIZED,
        ProblemDetail.forStatusAndDetail(
            HttpStatus.UNAUTHORIZED, "no valid identity cookie; POST /api/identity sets one"),
        null);
  }
}
