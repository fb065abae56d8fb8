package dev.lastmile.ledger;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisTime;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.streams.DeliveryLedger;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.DeliveryOutcome;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Settles deliveries in the ledger: hop 4.
 *
 * <p>Writers offer to a bounded queue and never block. One thread waits some milliseconds ({@code
 * lastmile.ledger.settle-gather}) and sends all queued settlements, one script call per partition
 * and batch. The calls are pipelined, with a limit of calls in flight per partition. A settlement
 * has the time of its flush, so the wait makes no delivery late.
 *
 * <p>A settlement that Redis did not confirm is queued again and sent when Redis is connected. The
 * script settles each delivery once. A settlement that finds the queue full, or is older than a
 * minute, is dropped and counted; its delivery expires.
 */
@Component
public final class SettlementQueue implements DeliveryLedger, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SettlementQueue.class);

  /** Calls in flight per partition. */
  private static final int MAX_CALLS_IN_FLIGHT = 8;

  /** Sequences in a range; older ones have expired already, or are redelivered. */
  private static final int MAX_RANGE = 1_024;

  /** Age from which on a settlement is dropped. */
  private static final long KEPT_NANOS = 60_000_000_000L;

  /** Pause of a partition after a failure; that of the thread while nothing can be sent. */
  private static final long PAUSE_NANOS = 50_000_000;

  private sealed interface Work {
    Channel channel();

    /** When it was queued first, on the monotonic clock. */
    long sinceNanos();

    default Partition partition() {
      return channel().partition();
    }
  }

  /**
   * @param atMicros Redis time of the flush
   */
  private record Settlement(Delivery delivery, End end, long atMicros, long sinceNanos)
      implements Work {
    @Override
    public Channel channel() {
      return delivery.channel();
    }
  }

  private record Range(Channel channel, long first, Cursor last, long atMicros, long sinceNanos)
      implements Work {}

  /** The settlements with the same value are sent in one call. */
  private record Batch(Partition partition, String epoch) {}

  private final RedisConnection redis;
  private final RedisTime time;
  private final Leases leases;
  private final LedgerTotals totals;
  private final Replica replica;
  private final HopRecorder hops;
  private final LedgerProperties properties;
  private final BlockingQueue<Work> queue;
  private final AtomicInteger unconfirmed = new AtomicInteger();

  /** By partition. */
  private final AtomicIntegerArray inFlight = new AtomicIntegerArray(Partition.COUNT);

  /** By partition: the end of the pause after the last failure. */
  private final AtomicLongArray pausedUntilNanos = new AtomicLongArray(Partition.COUNT);

  private final Ticker ticker;
  private final Counter dropped;
  private final Thread thread;

  SettlementQueue(
      RedisConnection redis,
      RedisTime time,
      Leases leases,
      LedgerTotals totals,
      Replica replica,
      HopRecorder hops,
      LedgerProperties properties,
      Ticker ticker,
      MeterRegistry meters) {
    this.redis = redis;
    this.time = time;
    this.leases = leases;
    this.totals = totals;
    this.replica = replica;
    this.hops = hops;
    this.properties = properties;
    this.ticker = ticker;
    for (Partition partition : Partition.ALL) {
      pausedUntilNanos.set(partition.index(), ticker.read());
    }
    this.queue = new ArrayBlockingQueue<>(properties.settleQueue());
    this.dropped = Metric.SETTLEMENTS_DROPPED.counter(meters);
    this.thread = Thread.ofPlatform().name("settlements").daemon().unstarted(this::send);
  }

  public void start() {
    thread.start();
  }

  @Override
  public void settle(Delivery delivery, End end) {
    unconfirmed.incrementAndGet();
    enqueue(
        new Settlement(delivery, end, time.micros(delivery.channel().partition()), ticker.read()));
  }

  @Override
  public void settleRange(Channel channel, long after, Cursor upTo) {
    long first = Math.max(after + 1, upTo.sequence() - MAX_RANGE + 1);
    unconfirmed.incrementAndGet();
    enqueue(new Range(channel, first, upTo, time.micros(channel.partition()), ticker.read()));
  }

  @Override
  public long outstanding() {
    return unconfirmed.get() + totals.read().outstandingOf(replica.name());
  }

  private void enqueue(Work work) {
    if (ticker.read() - work.sinceNanos() > KEPT_NANOS || !queue.offer(work)) {
      dropped.increment();
      unconfirmed.decrementAndGet();
    }
  }

  private void send() {
    List<Work> taken = new ArrayList<>();
    while (!Thread.currentThread().isInterrupted()) {
      try {
        taken.add(queue.take());
        int most = properties.settleBatch() * Partition.COUNT;
        if (queue.size() < most) {
          LockSupport.parkNanos(properties.settleGather().toNanos());
        }
        queue.drainTo(taken, most - 1);
        if (!send(taken)) {
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("settlement_error");
      } finally {
        taken.clear();
      }
    }
  }

  /** Sends what can be sent now, and queues the rest again. Returns whether anything was sent. */
  private boolean send(List<Work> taken) {
    Map<Batch, List<Settlement>> batches = new HashMap<>();
    List<Runnable> calls = new ArrayList<>();
    for (Work work : taken) {
      if (!canSend(work.partition())) {
        enqueue(work);
        continue;
      }
      switch (work) {
        case Settlement settlement -> {
          Delivery delivery = settlement.delivery();
          Batch batch = new Batch(settlement.partition(), delivery.cursor().epoch());
          List<Settlement> settlements = batches.computeIfAbsent(batch, _ -> new ArrayList<>());
          settlements.add(settlement);
          if (settlements.size() == properties.settleBatch()) {
            batches.remove(batch);
            calls.add(() -> settle(batch, settlements));
          }
        }
        case Range range -> calls.add(() -> find(range));
      }
    }
    batches.forEach((batch, settlements) -> calls.add(() -> settle(batch, settlements)));
    calls.forEach(Runnable::run);
    return !calls.isEmpty();
  }

  /**
   * A primary that is away, refuses or is slow keeps no settlements of other partitions waiting.
   */
  private boolean canSend(Partition partition) {
    return inFlight.get(partition.index()) < MAX_CALLS_IN_FLIGHT
        && pausedUntilNanos.get(partition.index()) - ticker.read() <= 0
        && redis.isConnected(partition);
  }

  private void settle(Batch batch, List<Settlement> settlements) {
    Partition partition = batch.partition();
    List<String> keys = new ArrayList<>(settlements.size() + 5);
    keys.add(Keys.meta(partition));
    keys.addAll(Keys.ledger(partition));
    keys.add(Keys.account(partition));
    ScriptArguments arguments =
        new ScriptArguments()
            .add(batch.epoch())
            .add(properties.lateAfter().toNanos() / 1_000)
            .add(DeliveryOutcome.DELIVERED.wireName())
            .add(DeliveryOutcome.LATE.wireName());
    for (Settlement settlement : settlements) {
      Delivery delivery = settlement.delivery();
      keys.add(Keys.timeline(delivery.operationId()));
      arguments
          .add(delivery.channel().value())
          .add(delivery.sequence())
          .add(delivery.owner())
          .add(delivery.version())
          .add(delivery.term())
          .add(settlement.end().name().toLowerCase(Locale.ROOT))
          .add(settlement.atMicros());
    }
    call(Script.SETTLE, keys, arguments, settlements, reply -> settled(settlements, reply));
  }

  private void settled(List<Settlement> settlements, ScriptReply outcomes) {
    for (int i = 0; i < outcomes.size(); i++) {
      String outcome = outcomes.text(i);
      if (!outcome.isEmpty()) {
        Settlement settlement = settlements.get(i);
        Delivery delivery = settlement.delivery();
        hops.record(
            Hop.DELIVERED,
            outcome,
            Subject.of(delivery),
            TraceContext.of(delivery.traceparent(), null),
            delivery.publishedAtMicros(),
            settlement.atMicros());
      }
    }
  }

  private void find(Range range) {
    Partition partition = range.channel().partition();
    String owner = leases.incarnation(partition);
    call(
        Script.FIND_EXPECTED,
        List.of(Keys.meta(partition), Keys.entries(partition)),
        new ScriptArguments()
            .add(range.last().epoch())
            .add(range.last().term())
            .add(range.channel().value())
            .add(owner)
            .add(range.first())
            .add(range.last().sequence()),
        List.of(range),
        reply -> {
          for (int i = 0; i < reply.size(); i += 2) {
            Cursor cursor = range.last().at(reply.number(i));
            Delivery delivery = Delivery.parse(range.channel(), cursor, owner, reply.text(i + 1));
            unconfirmed.incrementAndGet();
            enqueue(new Settlement(delivery, End.FLUSHED, range.atMicros(), range.sinceNanos()));
          }
        });
  }

  /** Sends one call. If it fails, its work is queued again, and the partition pauses. */
  private void call(
      Script script,
      List<String> keys,
      ScriptArguments arguments,
      List<? extends Work> work,
      Consumer<ScriptReply> then) {
    int partition = work.getFirst().partition().index();
    inFlight.incrementAndGet(partition);
    CompletionStage<List<Object>> reply;
    try {
      reply = redis.start(script, keys, arguments);
    } catch (RuntimeException e) {
      reply = CompletableFuture.failedFuture(e);
    }
    var _ =
        reply.whenComplete((elements, failure) -> {
          try {
            if (failure == null) {
              unconfirmed.addAndGet(-work.size());
              then.accept(new ScriptReply(elements));
            } else {
              pausedUntilNanos.set(partition, ticker.read() + PAUSE_NANOS);
              work.forEach(this::enqueue);
            }
          } catch (RuntimeException e) {
            LOG.atError().setCause(e).log("settlement_not_recorded");
          } finally {
            inFlight.decrementAndGet(partition);
          }
        });
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
