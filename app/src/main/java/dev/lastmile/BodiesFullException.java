package dev.lastmile;

import java.io.IOException;

/** The bodies that are being read are too large together: 503. */
final class BodiesFullException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int limit;

  BodiesFullException(int limit) {
    super("bodies above " + limit + " bytes together");
    this.limit = limit;
  }

  int limit() {
    return limit;
  }
}
