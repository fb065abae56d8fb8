package dev.lastmile.streams;

/**
 * Writes a connection's frames to its socket.
 *
 * <p>Every method returns at once. Any thread may call it, but not while holding the connection's
 * lock.
 */
interface Writer {
  /** Writes the waiting frames as soon as the previous write has ended. */
  void flush();

  /** Ends the response after the waiting frames have been written. */
  void end();

  /** Closes the connection and drops the waiting frames. */
  void abort();

  /** Responds that the state cannot be read; called before the response has started. */
  void reject();
}
