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
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * The identity of this replica in the ledger: in each partition an incarnation with a lease.
 *
 * <p>A renewal costs one pipeline with one call per partition; the number of streams does not
 * matter. If a lease has ended, the renewal takes one for the next incarnation in that partition. A
 * lease ends when this process was paused, when its Redis could not be reached, or when its keys
 * were lost. The deliveries of the old incarnation expire as {@code owner_gone}, and every channel
 * of the partition must be announced again.
 *
 * <p>In a new term the lease goes on. An announcement may be lost, so every channel of the
 * partition must be announced again, too.
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

  /** What a listener gets after leases were lost and others were taken. */
  public interface NewIncarnations {
    /**
     * Leases were lost, and others were taken.
     *
     * @param heldUntilNanos when the lost leases were last known to be held
     */
    void taken(Collection<Partition> partitions, long heldUntilNanos);
  }

  private final RedisConnection redis;
  private final RedisErrors errors;
  private final HeldPartitions held;
  private final LedgerProperties properties;
  private final Ticker ticker;
  private final String process;

  /** By partition. */
  private final List<Lease> leases;

  private final List<NewIncarnations> incarnationListeners = new CopyOnWriteArrayList<>();
  private final List<Consumer<Collection<Partition>>> termListeners = new CopyOnWriteArrayList<>();
  private volatile boolean receiving;
  private volatile long othersReceiving;

  @GuardedBy("this")
  private boolean left;

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
    this.process = replica.process() + ".";
    this.leases = Partition.ALL.stream().map(partition -> new Lease(partition, process)).toList();
  }

  /**
   * The current incarnation in a partition: the name of the replica, {@code ~}, a random number of
   * the process, and a counter.
   */
  public String incarnation(Partition partition) {
    return leases.get(partition.index()).incarnation();
  }

  /** Whether an incarnation is a current or former one of this process. */
  boolean isOurs(String other) {
    return other.startsWith(process);
  }

  /** Sets whether this replica receives published messages; the next renewal stores it. */
  public void setReceiving(boolean now) {
    receiving = now;
  }

  /** Whether Redis has stored a lease of this process, in some partition. */
  public boolean holdsAny() {
    return leases.stream().anyMatch(Lease::isTaken);
  }

  /** Whether another replica receives published messages, by the reply to the last renewal. */
  public boolean othersReceive() {
    return othersReceiving > 0;
  }

  /** Adds a listener that runs on the renewing thread after leases were lost and taken again. */
  public void onNewIncarnation(NewIncarnations listener) {
    incarnationListeners.add(listener);
  }

  /** Adds a listener that gets partitions which have entered a new term, on the renewing thread. */
  public void onNewTerm(Consumer<Collection<Partition>> listener) {
    termListeners.add(listener);
  }

  /**
   * Renews the lease in one partition, or takes one. Blocks as a script does.
   *
   * @throws RedisUnavailableException if Redis does not reply, or refuses
   */
  void renew(Partition partition) {
    RedisUnavailableException failure = renew(List.of(leases.get(partition.index())));
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Renews the leases, or takes them, in all partitions. The renewal is the write that proves that
   * Redis works. A partition whose primary is away does not keep the others waiting for longer than
   * {@code lastmile.redis.timeout}, and half of a lease.
   */
  public void renewAll() {
    RedisUnavailableException failure = renew(leases);
    if (failure == null) {
      errors.written();
    } else {
      errors.notWritten(failure);
      LOG.atDebug().setCause(failure).log("lease_renewal_failed");
    }
  }

  /** Returns a failure, if there was one; the other leases are renewed all the same. */
  private @Nullable RedisUnavailableException renew(Collection<Lease> which) {
    List<Partition> again = new ArrayList<>();
    List<Partition> newTerm = new ArrayList<>();
    long lostSince = Long.MAX_VALUE;
    RedisUnavailableException failure = null;
    synchronized (this) {
      if (left) {
        return null;
      }
      long begun = ticker.read();
      Renewal renewal = new Renewal(which.size() == leases.size());
      for (Map.Entry<Lease, CompletionStage<List<Object>>> each : send(which).entrySet()) {
        Lease lease = each.getKey();
        try {
          ScriptReply reply = replyOrTake(lease, each.getValue(), begun);
          renewal.add(lease.partition(), reply);
          Lease.Change change = lease.held(reply, begun);
          if (change == Lease.Change.NEW_INCARNATION) {
            again.add(lease.partition());
            lostSince = Math.min(lostSince, lease.lostSinceNanos());
            lease.told();
          } else if (change == Lease.Change.NEW_TERM) {
            newTerm.add(lease.partition());
          }
        } catch (RedisUnavailableException e) {
          failure = e;
        }
      }
      renewal.end();
    }
    if (!again.isEmpty()) {
      long since = lostSince;
      incarnationListeners.forEach(listener -> listener.taken(again, since));
    }
    if (!newTerm.isEmpty()) {
      LOG.atInfo().addKeyValue("partitions", newTerm.size()).log("new_term");
      termListeners.forEach(listener -> listener.accept(newTerm));
    }
    return failure;
  }

  @GuardedBy("this")
  private Map<Lease, CompletionStage<List<Object>>> send(Collection<Lease> which) {
    Map<Lease, CompletionStage<List<Object>>> replies = new LinkedHashMap<>();
    which.forEach(lease -> replies.put(lease, call(lease, lease.mode())));
    return replies;
  }

  /** The reply of a lease that is held; takes one for the next incarnation if it has ended. */
  @GuardedBy("this")
  private ScriptReply replyOrTake(Lease lease, CompletionStage<List<Object>> sent, long begun) {
    ScriptReply reply = new ScriptReply(redis.await(sent, left(begun)));
    if (reply.text(0).equals("held")) {
      return reply;
    }
    if (reply.text(0).equals("no_epoch")) {
      // A running Redis was emptied: no lease of this replica is left.
      redis.renewEpochs(lease.partition());
    }
    if (lease.isTaken()) {
      String lost = lease.incarnation();
      var _ = call(lease, "leave");
      lease.lost();
      LOG.atWarn()
          .addKeyValue("partition", lease.partition().index())
          .addKeyValue("incarnation", lost)
          .addKeyValue("next", lease.incarnation())
          .log("lease_lost");
    }
    reply = new ScriptReply(redis.await(call(lease, "take"), left(begun)));
    if (!reply.text(0).equals("held")) {
      throw new RedisUnavailableException("no lease in partition " + lease.partition().index());
    }
    return reply;
  }

  /**
   * What is left of half a lease. All partitions are renewed together, so one whose primary does
   * not reply must not delay the next renewal of the others until their leases end.
   */
  private Duration left(long begun) {
    return properties.lease().dividedBy(2).minusNanos(ticker.read() - begun);
  }

  /** What the replies of one renewal say about the other replicas. */
  private final class Renewal {
    private final boolean all;
    private final List<Partition> sweeps = new ArrayList<>();
    private long replicas = Long.MAX_VALUE;
    private long replicasAnywhere = 1;
    private long others;

    private Renewal(boolean all) {
      this.all = all;
    }

    private void add(Partition partition, ScriptReply reply) {
      if (partition.equals(Partition.ALL.getFirst())) {
        others = reply.number(1);
      }
      if (reply.number(2) == 1) {
        sweeps.add(partition);
        // The clock of this partition runs, so a replica that is gone is not counted for long.
        replicas = Math.min(replicas, reply.number(3));
      }
      replicasAnywhere = Math.max(replicasAnywhere, reply.number(3));
    }

    private void end() {
      if (all) {
        othersReceiving = others;
        held.assigned(sweeps, sweeps.isEmpty() ? replicasAnywhere : replicas);
      }
    }
  }

  /**
   * Releases the leases: no delivery is expected of this replica from now on. Blocks as a script.
   */
  synchronized void leave() {
    if (!left) {
      left = true;
      List<CompletionStage<List<Object>>> replies =
          leases.stream().filter(Lease::isTaken).map(lease -> call(lease, "leave")).toList();
      replies.forEach(redis::await);
    }
  }

  private CompletionStage<List<Object>> call(Lease lease, String mode) {
    ScriptArguments arguments =
        new ScriptArguments()
            .add(lease.incarnation())
            .add(mode)
            .add(properties.lease())
            .add(receiving)
            .add(held.wants(lease.partition()))
            .add(properties.sweepSilence())
            .add(properties.renewInterval().multipliedBy(5).dividedBy(2))
            .add(redis.isConnected());
    COUNTERS.forEach(arguments::add);
    return redis.completing(() -> redis.start(Script.LEASE, keys(lease.partition()), arguments));
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
