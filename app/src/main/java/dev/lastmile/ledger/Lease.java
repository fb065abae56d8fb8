package dev.lastmile.ledger;

import dev.lastmile.redis.ScriptReply;
import dev.lastmile.updates.Partition;

/**
 * The lease of this process in one partition. Its methods are called under the lock of {@link
 * Leases}; the incarnation may be read by any thread.
 */
final class Lease {
  private final Partition partition;
  private final String process;

  private volatile String incarnation;
  private int number;
  private volatile boolean taken;

  /** When the lease was last known to be held. */
  private long heldAtNanos;

  /** When a lost lease was last known to be held, until another one was taken; 0 if none. */
  private long lostSinceNanos;

  /** The term at the last renewal; empty before the first one. */
  private String term = "";

  /** What the last renewal has changed. */
  enum Change {
    NONE,
    /** Another incarnation was taken, after a lease was lost. */
    NEW_INCARNATION,
    /** The partition has entered another term. */
    NEW_TERM
  }

  /**
   * @param process what the names of all incarnations begin with
   */
  Lease(Partition partition, String process) {
    this.partition = partition;
    this.process = process;
    this.incarnation = process + number;
  }

  Partition partition() {
    return partition;
  }

  String incarnation() {
    return incarnation;
  }

  boolean isTaken() {
    return taken;
  }

  /** When the lease that was lost was last known to be held. */
  long lostSinceNanos() {
    return lostSinceNanos;
  }

  /** The mode in which the script is called next. */
  String mode() {
    return taken ? "renew" : "take";
  }

  /** The lease has ended: the next call takes one for the next incarnation. */
  void lost() {
    lostSinceNanos = lostSinceNanos == 0 ? heldAtNanos : lostSinceNanos;
    taken = false;
    number++;
    incarnation = process + number;
  }

  /**
   * The lease is held.
   *
   * @param sinceNanos when the call was sent
   */
  Change held(ScriptReply reply, long sinceNanos) {
    boolean again = !taken && lostSinceNanos != 0;
    boolean newTerm = !term.isEmpty() && !term.equals(reply.text(4));
    taken = true;
    heldAtNanos = sinceNanos;
    term = reply.text(4);
    if (again) {
      return Change.NEW_INCARNATION;
    }
    return newTerm ? Change.NEW_TERM : Change.NONE;
  }

  /** The listeners know that another incarnation was taken. */
  void told() {
    lostSinceNanos = 0;
  }
}
