package dev.lastmile.connections;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Delivery;

/** Port: settles in the ledger what was expected of this replica. */
public interface Deliveries {
  /** How a delivery ended here. */
  enum End {
    /** The kernel took its bytes, or those of a later state, on a connection of the channel. */
    FLUSHED,
    /** The sockets of its channel take no bytes. */
    SLOW_CONSUMER,
    /** Its channel has no connection any more. */
    CLIENT_GONE
  }

  /**
   * Settles one delivery with the time of this call. Never blocks; calling it twice is harmless.
   */
  void settle(Delivery delivery, End end);

  /**
   * Settles as flushed whatever the ledger expects of us in this range of a channel: a read of
   * state has brought what we have not received. Never blocks.
   *
   * @param after the sequence before the range
   * @param upTo the last sequence of the range
   */
  void settleRange(Channel channel, String epoch, long after, long upTo);

  /**
   * How many entries of the ledger expect something of this replica. Blocks until Redis has
   * answered; throws if it does not.
   */
  long outstanding();
}
