package dev.lastmile.connections;

import dev.lastmile.updates.Channel;

/**
 * Port: tells the other replicas whose connections are here, and who we are to them.
 *
 * <p>An incarnation is one life of this replica under a lease. If the lease ends, the replica goes
 * on under another one, and has to announce every channel again.
 */
public interface Presence {
  /** The incarnation of this moment. */
  String incarnation();

  /** Whether this is, or was, an incarnation of this process. */
  boolean isOurs(String incarnation);

  /**
   * Announces a channel. Returns when Redis has confirmed; blocks until then, throws if it cannot.
   * From then on updates of the channel are expected of us.
   *
   * @param generation rises with each time that this replica begins to hold the channel
   * @return the incarnation under which it was announced
   */
  String announce(Channel channel, long generation);

  /**
   * Withdraws what was announced with this or a lower generation. Never blocks; is tried again
   * until Redis has it.
   */
  void withdraw(Channel channel, long generation);

  /**
   * Gives up the lease: from now on nothing is expected of this replica. Blocks until Redis has
   * confirmed; throws if it cannot.
   */
  void leave();
}
