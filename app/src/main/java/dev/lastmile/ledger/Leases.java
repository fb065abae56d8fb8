package dev.lastmile.ledger;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.redis.HeldPartitions;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisErrors;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.DeliveryOutcome;
import dev.lastmile.updates.Partition;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * The identity of this replica in the ledger: an incarnation with a lease in every partition.
 *
 * <p>A renewal costs one pipeline with one call per partition; the number of streams does not
 * matter. If the lease has ended, the renewal takes the next incarnation. A lease ends when this
 * process was paused, when Redis could not be reached, or when its keys were lost. The deliveries
 * of the old incarnation expire as {@code owner_gone}, and every channel must be announced again.
 *
 * <p>In a new term the lease goes on. An announcement may be lost, so every channel must be
 * announced again, too.
 *
 * <p>Any thread. Methods that renew or release block as a script does.
 */
@Component
public final class Leases {
  /**
   * The counters of an owner, as the scripts write them: expected deliveries, each outcome, and
   * redeliveries.
   */
  public static final List<String> COUNTERS =
      Stream.of(List.of("expected"), DeliveryOutcome.wireNames(_ -> true), List.of("redelivered"))
          .flatMap(List::stream)
          .toList();

  private static final Logger LOG = LoggerFactory.getLogger(Leases.class);

  private final RedisConnection redis;
  private final RedisErrors errors;
  private final HeldPartitions held;
  private final LedgerProperties properties;
  private final Ticker ticker;
  private final String process;
  private final List<LongConsumer> renewedListeners = new CopyOnWriteArrayList<>();
  private final List<Runnable> termListeners = new CopyOnWriteArrayList<>();

  private volatile String incarnation;
  private volatile boolean receiving;
  private volatile long othersReceiving;

  @GuardedBy("this")
  private int number;

  /** The term of each partition at the last renewal; empty before the first one. */
  @GuardedBy("this")
  private List<String> terms = List.of();

  @GuardedBy("this")
  private boolean taken;

  @GuardedBy("this")
  private boolean left;

  /**
   * When the lost lease was last known to be held, until the listeners have run; 0 if no lease was
   * lost.
   */
  @GuardedBy("this")
  private long lostSinceNanos;

  /** When the lease was last known to be held. */
  @GuardedBy("this")
  private long heldAtNanos;

  Leases(
      RedisConnection redis,
      RedisErrors errors,
      HeldPartitions held,
      Replica replica,
      LedgerProperties properties,
      Ticker ticker) {
    this.redis = redis;
    this.errors = errors;
    this.held = held;
    this.properties = properties;
    this.ticker = ticker;
    String random = HexFormat.of().toHexDigits(new SecureRandom().nextInt());
    this.process = replica.name() + "~" + random + ".";
    this.incarnation = process + number;
  }

  /**
   * The current incarnation: the name of the replica, {@code ~}, a random number of the process,
   * and a counter.
   */
  public String incarnation() {
    return incarnation;
  }

  /** Whether an incarnation is a current or former one of this process. */
  boolean isOurs(String other) {
    return other.startsWith(process);
  }

  /** Sets whether this replica receives published messages; the next renewal stores it. */
  public void setReceiving(boolean now) {
    receiving = now;
  }

  /** Whether another replica receives published messages, by the reply to the last renewal. */
  public boolean othersReceive() {
    return othersReceiving > 0;
  }

  /**
   * Adds a listener that runs after a lease was lost and another incarnation was taken. It gets the
   * time at which the old lease was last known to be held, and runs on the renewing thread.
   */
  public void onNewIncarnation(LongConsumer listener) {
    renewedListeners.add(listener);
  }

  /** Adds a listener that runs on the renewing thread after a partition has entered a new term. */
  public void onNewTerm(Runnable listener) {
    termListeners.add(listener);
  }

  /**
   * Renews the lease, or takes one. Blocks as a script does. The renewal is the write that proves
   * that Redis works.
   *
   * @throws RedisUnavailableException if Redis does not reply, or refuses
   */
  void renew() {
    try {
      if (renewOrTake()) {
        errors.written();
      }
    } catch (RedisUnavailableException e) {
      errors.notWritten(e);
      throw e;
    }
  }

  /** Returns whether something was written: nothing is after {@link #leave}. */
  private boolean renewOrTake() {
    long since;
    boolean newTerm;
    synchronized (this) {
      if (left) {
        return false;
      }
      long begun = ticker.read();
      List<String> before = terms;
      if (!taken || !inAllPartitions("renew", incarnation)) {
        takeAnother();
      }
      heldAtNanos = begun;
      since = lostSinceNanos;
      lostSinceNanos = 0;
      newTerm = !before.isEmpty() && !before.equals(terms);
    }
    if (since != 0) {
      renewedListeners.forEach(listener -> listener.accept(since));
    }
    if (newTerm) {
      LOG.atInfo().log("new_term");
      termListeners.forEach(Runnable::run);
    }
    return true;
  }

  /** As {@link #renew}, but without an exception: for callers that repeat the call. */
  public void renewIfConnected() {
    try {
      if (redis.isConnected()) {
        renew();
      }
    } catch (RedisUnavailableException e) {
      othersReceiving = 0;
      LOG.atDebug().setCause(e).log("lease_renewal_failed");
    }
  }

  @GuardedBy("this")
  private void takeAnother() {
    if (taken) {
      // The lease may still be held in other partitions. The listeners run when the next lease is
      // taken, however many attempts that needs.
      lostSinceNanos = heldAtNanos;
      inAllPartitions("leave", incarnation);
      taken = false;
      LOG.atWarn()
          .addKeyValue("incarnation", incarnation)
          .addKeyValue("next", process + (number + 1))
          .log("lease_lost");
      number++;
      incarnation = process + number;
    }
    if (!inAllPartitions("take", incarnation)) {
      throw new RedisUnavailableException("no lease in every partition");
    }
    taken = true;
  }

  /**
   * Releases the lease: no delivery is expected of this replica from now on. Blocks as a script.
   */
  synchronized void leave() {
    if (taken && !left) {
      inAllPartitions("leave", incarnation);
    }
    left = true;
  }

  /** Calls the script in every partition; returns whether all leases are held, or released. */
  @GuardedBy("this")
  private boolean inAllPartitions(String mode, String holder) {
    List<CompletionStage<List<Object>>> replies = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      ScriptArguments arguments =
          new ScriptArguments()
              .add(holder)
              .add(mode)
              .add(properties.lease())
              .add(receiving)
              .add(held.wants(partition))
              .add(properties.sweepSilence())
              .add(properties.renewInterval().multipliedBy(5).dividedBy(2));
      COUNTERS.forEach(arguments::add);
      replies.add(redis.start(Script.LEASE, keys(partition), arguments));
    }
    boolean all = true;
    boolean epochs = true;
    long replicas = Long.MAX_VALUE;
    long replicasAnywhere = 1;
    List<Partition> sweeps = new ArrayList<>();
    List<String> newTerms = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      ScriptReply reply = new ScriptReply(redis.await(replies.get(partition.index())));
      all &= reply.text(0).equals("held") || reply.text(0).equals("left");
      epochs &= !reply.text(0).equals("no_epoch");
      if (reply.size() == 1) {
        continue;
      }
      if (partition.equals(Partition.ALL.getFirst())) {
        othersReceiving = reply.number(1);
      }
      if (reply.number(2) == 1) {
        sweeps.add(partition);
        // The clock of this partition runs, so a replica that is gone is not counted for long.
        replicas = Math.min(replicas, reply.number(3));
      }
      replicasAnywhere = Math.max(replicasAnywhere, reply.number(3));
      newTerms.add(reply.text(4));
    }
    if (newTerms.size() == Partition.COUNT) {
      terms = newTerms;
    }
    held.assigned(sweeps, sweeps.isEmpty() ? replicasAnywhere : replicas);
    if (!epochs) {
      // A running Redis was emptied: no lease of this replica is left.
      redis.renewEpochs();
    }
    return all;
  }

  private static List<String> keys(Partition partition) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(partition));
    keys.add(Keys.leases(partition));
    keys.add(Keys.account(partition));
    if (partition.equals(Partition.ALL.getFirst())) {
      keys.add(Keys.receiving());
    }
    return keys;
  }
}
