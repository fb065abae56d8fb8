package dev.lastmile.streams;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;

/**
 * Settles the deliveries that the ledger expects of this replica. Implemented by {@code ledger}.
 */
public interface DeliveryLedger {
  /** The outcome of a delivery on this replica. */
  enum End {
    /** The kernel accepted its bytes, or those of a later state, on a connection of the channel. */
    FLUSHED,
    /** The sockets of its channel accept no bytes, or too few. */
    SLOW_CONSUMER,
    /** Its channel has no connection on this replica any more. */
    CLIENT_GONE
  }

  /**
   * Settles one delivery at the time of this call. Never blocks. A second call for the same
   * delivery has no effect.
   */
  void settle(Delivery delivery, End end);

  /**
   * Settles as flushed every delivery that the ledger expects of this replica in a range of a
   * channel. Used when a read of state has covered updates that this replica did not receive. Never
   * blocks.
   *
   * @param after the sequence before the range
   * @param upTo the end of the range, in the term of the read
   */
  void settleRange(Channel channel, long after, Cursor upTo);

  /**
   * The number of deliveries that the ledger expects of this replica. Blocks until Redis has
   * replied; throws if it does not reply.
   */
  long outstanding();
}
