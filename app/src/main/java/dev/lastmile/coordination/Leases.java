package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Partition;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who this replica is to the others: an incarnation under a lease in every partition.
 *
 * <p>Renewing costs one pipeline of as many calls as there are partitions, however many connections
 * there are. A renewal that finds the lease ended (this process stood still, Redis could not be
 * reached, or is another one) takes the next incarnation: what was expected of the old one is gone,
 * and everything has to be announced again.
 */
final class Leases {
  /**
   * The counters of the account, as the scripts write them: what was expected, how it ended, and
   * what was asked for again.
   */
  static final List<String> COUNTERS =
      List.of(
          "expected",
          "delivered",
          "late",
          "client_gone",
          "slow_consumer",
          "not_received",
          "owner_gone",
          "redelivered");

  private static final Logger LOG = LoggerFactory.getLogger(Leases.class);

  private final RedisLink link;
  private final LedgerProperties properties;
  private final LongSupplier nanos;
  private final String process;
  private final List<LongConsumer> renewedListeners = new CopyOnWriteArrayList<>();

  private volatile String incarnation;
  private volatile boolean hears;
  private volatile long othersHear;

  @GuardedBy("this")
  private int number;

  @GuardedBy("this")
  private boolean taken;

  @GuardedBy("this")
  private boolean left;

  /** Since when the listeners have to be told of another incarnation; 0 if they need not. */
  @GuardedBy("this")
  private long lostSinceNanos;

  /** When the lease was held for the last time that we know. */
  @GuardedBy("this")
  private long heldAtNanos;

  Leases(RedisLink link, Replica replica, LedgerProperties properties, LongSupplier nanos) {
    this.link = link;
    this.properties = properties;
    this.nanos = nanos;
    byte[] random = new byte[4];
    new SecureRandom().nextBytes(random);
    this.process = replica.name() + "~" + HexFormat.of().formatHex(random) + ".";
    this.incarnation = process + number;
  }

  /** The incarnation of this moment: the replica's name, {@code ~}, something random. */
  String incarnation() {
    return incarnation;
  }

  /** Whether this is, or was, an incarnation of this process. */
  boolean isOurs(String other) {
    return other.startsWith(process);
  }

  /** What the next renewal says: whether this replica hears what is published. */
  void hears(boolean now) {
    hears = now;
  }

  /** Whether another replica said with its last renewal that it hears. */
  boolean doOthersHear() {
    return othersHear > 0;
  }

  /**
   * Runs after a lease was lost and another incarnation taken, with the time at which the old one
   * was last known to be held, on the renewing thread.
   */
  void onNewIncarnation(LongConsumer listener) {
    renewedListeners.add(listener);
  }

  /**
   * Renews the lease, or takes one. Blocks as a script does.
   *
   * @throws RedisAwayException if Redis does not answer
   */
  void renew() {
    long since;
    synchronized (this) {
      if (left) {
        return;
      }
      long begun = nanos.getAsLong();
      if (taken && everywhere("renew", incarnation)) {
        heldAtNanos = begun;
        return;
      }
      takeAnother();
      heldAtNanos = begun;
      since = lostSinceNanos;
      lostSinceNanos = 0;
    }
    if (since != 0) {
      renewedListeners.forEach(listener -> listener.accept(since));
    }
  }

  /** As {@link #renew}, for those that come again anyway. */
  void renewIfUp() {
    try {
      if (link.isUp()) {
        renew();
      }
    } catch (RedisAwayException e) {
      othersHear = 0;
      LOG.atDebug().setCause(e).log("lease_not_renewed");
    }
  }

  @GuardedBy("this")
  private void takeAnother() {
    if (taken) {
      // It may still be held in other partitions.
      // Said to the listeners when the next one is taken, however many attempts that needs.
      lostSinceNanos = heldAtNanos;
      everywhere("leave", incarnation);
      taken = false;
      LOG.atWarn()
          .addKeyValue("incarnation", incarnation)
          .addKeyValue("next", process + (number + 1))
          .log("lease_lost");
      number++;
      incarnation = process + number;
    }
    if (!everywhere("take", incarnation)) {
      throw new RedisAwayException("Redis gave no lease");
    }
    taken = true;
  }

  /** Says goodbye: nothing is expected of this replica from now on. Blocks as a script does. */
  synchronized void leave() {
    if (taken && !left) {
      everywhere("leave", incarnation);
    }
    left = true;
  }

  /** Whether it is held everywhere now (or given up, where that was asked). */
  private boolean everywhere(String mode, String who) {
    List<byte[]> arguments = new ArrayList<>();
    arguments.add(who.getBytes(UTF_8));
    arguments.add(mode.getBytes(UTF_8));
    arguments.add(Long.toString(properties.lease().toMillis()).getBytes(UTF_8));
    arguments.add((hears ? "1" : "0").getBytes(UTF_8));
    COUNTERS.forEach(counter -> arguments.add(counter.getBytes(UTF_8)));
    List<CompletionStage<List<Object>>> answers = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      answers.add(link.start(Script.LEASE, keys(partition), arguments));
    }
    boolean held = true;
    boolean epochs = true;
    for (CompletionStage<List<Object>> stage : answers) {
      Answer answer = new Answer(link.await(stage));
      held &= answer.text(0).equals("held") || answer.text(0).equals("left");
      epochs &= !answer.text(0).equals("no_epoch");
      if (answer.size() > 1 && stage.equals(answers.getFirst())) {
        othersHear = answer.number(1);
      }
    }
    if (!epochs) {
      // Somebody emptied a running Redis: the renewed partitions have no lease of ours.
      link.renewEpochs();
    }
    return held;
  }

  private static List<String> keys(Partition partition) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(partition));
    keys.add(Keys.leases(partition));
    keys.add(Keys.account(partition));
    if (partition.equals(Partition.ALL.getFirst())) {
      keys.add(Keys.hearing());
    }
    return keys;
  }
}
