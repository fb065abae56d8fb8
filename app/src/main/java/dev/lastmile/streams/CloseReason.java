package dev.lastmile.streams;

import java.util.Locale;

/** The reason why a stream ended: a label of the counter and a field of the log event. */
enum CloseReason {
  /** The client closed the connection, or the network reported that it is unreachable. */
  CLIENT_GONE,
  /**
   * The client did not read: its send queue was full, or a write exceeded {@code
   * lastmile.stream.write-timeout}.
   */
  SLOW_CONSUMER,
  /** The stream could not start because the state could not be read. */
  UNAVAILABLE,
  /** This replica receives no published messages while other replicas do. */
  STALLED,
  /** This replica is shutting down. */
  SHUTDOWN,
  /** An unexpected exception in this service. */
  ERROR;

  /**
   * Whether the replica ends the stream in an orderly way so that the client reconnects elsewhere.
   */
  boolean isOurs() {
    return this == STALLED || this == SHUTDOWN;
  }

  String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
