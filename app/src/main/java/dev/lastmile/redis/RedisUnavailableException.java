package dev.lastmile.redis;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/**
 * Redis cannot be reached, did not reply in time, or replied with an error. The response is 503
 * with {@code Retry-After}.
 *
 * <p>After a timeout, either the whole change of the request is stored or none of it. Sending the
 * request again is safe.
 */
public final class RedisUnavailableException extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  /** The value of {@code Retry-After}; attempts to reconnect are more frequent than this. */
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private static final String DETAIL =
      "the store cannot be reached; ask again (to create once only, with an Idempotency-Key)";

  private final String message;
  private final RedisErrorCause reason;

  public RedisUnavailableException(String message) {
    this(RedisErrorCause.OTHER, message, null);
  }

  RedisUnavailableException(RedisErrorCause reason, String message) {
    this(reason, message, null);
  }

  public RedisUnavailableException(String message, @Nullable Throwable cause) {
    this(RedisErrorCause.OTHER, message, cause);
  }

  private RedisUnavailableException(
      RedisErrorCause reason, String message, @Nullable Throwable cause) {
    super(
        HttpStatus.SERVICE_UNAVAILABLE,
        ProblemDetail.forStatusAndDetail(HttpStatus.SERVICE_UNAVAILABLE, DETAIL),
        cause);
    this.message = message;
    this.reason = reason;
    getHeaders().set(HttpHeaders.RETRY_AFTER, Long.toString(RETRY_AFTER.toSeconds()));
  }

  /** The reason, where no exception of a library tells it; otherwise {@code OTHER}. */
  RedisErrorCause reason() {
    return reason;
  }

  /** Whether the server does not serve the slot of the partition. Nothing was changed. */
  public boolean isSlotNotServed() {
    return RedisErrorCause.of(this).isSlotNotServed();
  }

  /** The cause, for logs; clients get the problem detail instead. */
  @Override
  public String getMessage() {
    return message;
  }
}
