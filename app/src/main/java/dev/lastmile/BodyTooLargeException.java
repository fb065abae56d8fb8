package dev.lastmile;

import java.io.IOException;

/** A request's body is above the limit: 413. */
final class BodyTooLargeException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int limit;

  BodyTooLargeException(int limit) {
    super("body above " + limit + " bytes");
    this.limit = limit;
  }

  int limit() {
    return limit;
  }
}
