package dev.lastmile;

import java.io.IOException;
import java.time.Duration;

/** A request's body did not come in time: 408. */
final class BodyTooSlowException extends IOException {
  private static final long serialVersionUID = 1L;

  private final Duration limit;

  BodyTooSlowException(Duration limit) {
    super("body took longer than " + limit);
    this.limit = limit;
  }

  Duration limit() {
    return limit;
  }
}
