package dev.lastmile.connections;

import java.util.Locale;

/** Every way in which a stream can end: a label of the counter and a field of the log. */
enum DisconnectReason {
  /** The browser closed it, or its address does not answer any more. */
  CLIENT_GONE,
  /** It did not read: its send queue was full, or a write took too long. */
  SLOW_CONSUMER,
  /** It could not begin: state could not be read. */
  UNAVAILABLE,
  /** This replica does not hear what is published, and others do. */
  DEAF,
  /** This replica stops. */
  SHUTDOWN,
  /** A bug of ours. */
  ERROR;

  /** Whether the stream ends in order, because another replica serves it better. */
  boolean isOurs() {
    return this == DEAF || this == SHUTDOWN;
  }

  String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
