package dev.lastmile.streams;

import dev.lastmile.updates.Channel;

/**
 * Announces to the other replicas which channels have connections here. Implemented by {@code
 * ledger}.
 *
 * <p>An incarnation is one life of this replica under a lease. If the lease expires, the replica
 * continues under a new incarnation and has to announce every channel again.
 */
public interface Presence {
  /**
   * A confirmed announcement.
   *
   * @param incarnation the incarnation under which the channel was announced
   * @param atMicros Redis time; every later publication of the channel expects a delivery
   */
  record Announcement(String incarnation, long atMicros) {}

  /** The current incarnation. */
  String incarnation();

  /** Whether this is the current or an earlier incarnation of this process. */
  boolean isOurs(String incarnation);

  /**
   * Announces a channel. Blocks until Redis has confirmed; throws if it does not confirm. From then
   * on the ledger expects updates of the channel from this replica.
   *
   * @param generation rises each time this replica starts to hold the channel
   */
  Announcement announce(Channel channel, long generation);

  /**
   * Withdraws announcements of this or a lower generation. Never blocks; retries until Redis has
   * confirmed.
   */
  void withdraw(Channel channel, long generation);

  /**
   * Releases the lease. From then on the ledger expects nothing of this replica. Blocks until Redis
   * has confirmed; throws if it does not confirm.
   */
  void leave();
}
