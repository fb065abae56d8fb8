package dev.lastmile.streams;

import dev.lastmile.updates.Channel;
import java.util.Collection;
import java.util.List;

/**
 * Announces to the other replicas which channels have connections here. Implemented by {@code
 * ledger}.
 *
 * <p>An incarnation is one life of this replica under a lease. If the lease expires, the replica
 * continues under a new incarnation and has to announce every channel again.
 */
public interface Presence {
  /** The current incarnation in the partition of a channel. */
  String incarnation(Channel channel);

  /** Whether this is the current or an earlier incarnation of this process. */
  boolean isOurs(String incarnation);

  /**
   * Announces a channel. Blocks until Redis has confirmed; throws if it does not confirm. From then
   * on the ledger expects updates of the channel from this replica.
   *
   * @param generation rises each time this replica starts to hold the channel
   * @return the incarnation under which it was announced
   */
  String announce(Channel channel, long generation);

  /**
   * Those of these channels that the present incarnation has announced and Redis does not know: the
   * key was deleted. Blocks until Redis has answered, or for its timeout.
   */
  List<Channel> missing(Collection<Channel> announced);

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
