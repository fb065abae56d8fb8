package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.connections.Deliveries;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
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
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settles deliveries in the ledger: hop 4.
 *
 * <p>Writers only offer to a bounded queue; one thread lets a few milliseconds pass and sends what
 * has gathered, a script call per partition and batch, pipelined, with a bounded number under way.
 * The time that counts is that of the flush, so gathering makes nothing late. What Redis did not
 * confirm is kept and sent again, first thing when Redis is back; the script takes each delivery
 * once. What finds the queue full, or is a minute old, is counted and left to expire.
 */
final class Settles implements Deliveries, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Settles.class);
  private static final int CALLS_UNDER_WAY = 32;
  private static final int LONGEST_RANGE = 1_024;
  private static final long KEPT_MICROS = 60_000_000;
  private static final long PAUSE_NANOS = 50_000_000;

  private sealed interface Work {
    long atMicros();
  }

  private record Settlement(Delivery delivery, End end, long atMicros) implements Work {}

  private record Range(Channel channel, String epoch, long first, long last, long atMicros)
      implements Work {}

  /** What goes into one call. */
  private record Batch(Partition partition, String epoch) {}

  private final RedisLink link;
  private final RedisTime time;
  private final Leases leases;
  private final Account account;
  private final Replica replica;
  private final HopRecorder hops;
  private final LedgerProperties properties;
  private final BlockingQueue<Work> queue;
  private final AtomicInteger unconfirmed = new AtomicInteger();
  private final Semaphore callsLeft = new Semaphore(CALLS_UNDER_WAY);
  private final Counter dropped;
  private final Thread thread;

  /** Whether a call has failed since the last pause. */
  private volatile boolean failed;

  Settles(
      RedisLink link,
      RedisTime time,
      Leases leases,
      Account account,
      Replica replica,
      HopRecorder hops,
      LedgerProperties properties,
      MeterRegistry meters) {
    this.link = link;
    this.time = time;
    this.leases = leases;
    this.account = account;
    this.replica = replica;
    this.hops = hops;
    this.properties = properties;
    this.queue = new ArrayBlockingQueue<>(properties.settleQueue());
    this.dropped = Metric.SETTLES_DROPPED.counter(meters);
    this.thread = Thread.ofPlatform().name("settles").daemon().unstarted(this::send);
  }

  void start() {
    thread.start();
  }

  @Override
  public void settle(Delivery delivery, End end) {
    unconfirmed.incrementAndGet();
    keep(new Settlement(delivery, end, time.micros()));
  }

  @Override
  public void settleRange(Channel channel, String epoch, long after, long upTo) {
    // What is further back is older than anything in the ledger, or asked for again.
    long first = Math.max(after + 1, upTo - LONGEST_RANGE + 1);
    unconfirmed.incrementAndGet();
    keep(new Range(channel, epoch, first, upTo, time.micros()));
  }

  @Override
  public long outstanding() {
    return unconfirmed.get() + account.read().outstandingOf(replica.name());
  }

  private void keep(Work work) {
    if (time.micros() - work.atMicros() > KEPT_MICROS || !queue.offer(work)) {
      dropped.increment();
      unconfirmed.decrementAndGet();
    }
  }

  private void send() {
    List<Work> taken = new ArrayList<>();
    while (!Thread.currentThread().isInterrupted()) {
      try {
        if (failed || !link.isUp()) {
          failed = false;
          LockSupport.parkNanos(PAUSE_NANOS);
          continue;
        }
        taken.add(queue.take());
        int most = properties.settleBatch() * Partition.COUNT;
        if (queue.size() < most) {
          LockSupport.parkNanos(properties.settleGather().toNanos());
        }
        queue.drainTo(taken, most - 1);
        send(taken);
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("settles_failed");
      } finally {
        taken.clear();
      }
    }
  }

  private void send(List<Work> taken) throws InterruptedException {
    Map<Batch, List<Settlement>> batches = new HashMap<>();
    List<Runnable> calls = new ArrayList<>();
    for (Work work : taken) {
      switch (work) {
        case Settlement settlement -> {
          Delivery delivery = settlement.delivery();
          Batch batch = new Batch(delivery.channel().partition(), delivery.cursor().epoch());
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
    for (Runnable call : calls) {
      callsLeft.acquire();
      call.run();
    }
  }

  private void settle(Batch batch, List<Settlement> settlements) {
    Partition partition = batch.partition();
    List<String> keys = new ArrayList<>(settlements.size() + 5);
    keys.add(Keys.meta(partition));
    keys.addAll(Keys.ledger(partition));
    keys.add(Keys.account(partition));
    List<byte[]> arguments = new ArrayList<>(settlements.size() * 6 + 2);
    arguments.add(batch.epoch().getBytes(UTF_8));
    arguments.add(Long.toString(properties.lateAfter().toNanos() / 1_000).getBytes(UTF_8));
    for (Settlement settlement : settlements) {
      Delivery delivery = settlement.delivery();
      keys.add(Keys.timeline(delivery.operationId()));
      arguments.add(delivery.channel().value().getBytes(UTF_8));
      arguments.add(Long.toString(delivery.sequence()).getBytes(UTF_8));
      arguments.add(delivery.owner().getBytes(UTF_8));
      arguments.add(Long.toString(delivery.version()).getBytes(UTF_8));
      arguments.add(settlement.end().name().toLowerCase(Locale.ROOT).getBytes(UTF_8));
      arguments.add(Long.toString(settlement.atMicros()).getBytes(UTF_8));
    }
    call(Script.SETTLE, keys, arguments, settlements, answer -> settled(settlements, answer));
  }

  private void settled(List<Settlement> settlements, Answer outcomes) {
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
    String owner = leases.incarnation();
    call(
        Script.COVER,
        List.of(Keys.meta(partition), Keys.entries(partition)),
        List.of(
            range.epoch().getBytes(UTF_8),
            range.channel().value().getBytes(UTF_8),
            owner.getBytes(UTF_8),
            Long.toString(range.first()).getBytes(UTF_8),
            Long.toString(range.last()).getBytes(UTF_8)),
        List.of(range),
        answer -> {
          for (int i = 0; i < answer.size(); i += 2) {
            Cursor cursor = new Cursor(range.epoch(), answer.number(i));
            Delivery delivery = Delivery.parse(range.channel(), cursor, owner, answer.text(i + 1));
            unconfirmed.incrementAndGet();
            keep(new Settlement(delivery, End.FLUSHED, range.atMicros()));
          }
        });
  }

  /** Sends one call; what it was about is kept if it fails. Gives the permit back at its end. */
  private void call(
      Script script,
      List<String> keys,
      List<byte[]> arguments,
      List<? extends Work> about,
      Consumer<Answer> then) {
    CompletionStage<List<Object>> answer;
    try {
      answer = link.start(script, keys, arguments);
    } catch (RuntimeException e) {
      answer = CompletableFuture.failedFuture(e);
    }
    var _ =
        answer.whenComplete((elements, failure) -> {
          try {
            if (failure == null) {
              unconfirmed.addAndGet(-about.size());
              then.accept(new Answer(elements));
            } else {
              failed = true;
              about.forEach(this::keep);
            }
          } catch (RuntimeException e) {
            LOG.atError().setCause(e).log("settled_and_failed");
          } finally {
            callsLeft.release();
          }
        });
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
