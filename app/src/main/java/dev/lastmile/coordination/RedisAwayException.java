package dev.lastmile.coordination;

import java.time.Duration;

/**
 * Redis cannot be reached, or did not answer in time: answered as 503 with {@code Retry-After}.
 *
 * <p>After a time-out either everything or nothing of the request has happened; asking again is
 * safe.
 */
public final class RedisAwayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** When a caller should ask again: connections are dialled more often than this. */
  public static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  /** For whoever cannot get an answer in time. */
  public RedisAwayException(String message) {
    super(message);
  }

  RedisAwayException(String message, Throwable cause) {
    super(message, cause);
  }
}
