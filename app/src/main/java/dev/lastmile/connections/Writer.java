package dev.lastmile.connections;

/**
 * The socket's side of a connection. Every method returns at once and may be called by any thread,
 * never under the connection's lock.
 */
interface Writer {
  /** Something waits in the send queue: write it when the write before has ended. */
  void flush();

  /** End the answer after what waits has been written. */
  void end();

  /** Give up: cut the connection, drop what waits. */
  void abort();

  /** Nothing has been answered yet: say that state cannot be read now. */
  void refuse();
}
