package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.connections.Deliveries;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Notes in the timeline what this replica has flushed: hop 4.
 *
 * <p>Writers only offer to a bounded queue; one thread sends what has gathered in one pipeline and
 * never waits for the answers. What finds the queue full, or Redis away, is counted and not noted.
 */
final class DeliveryLog implements Deliveries, AutoCloseable {
  private static final int BATCH = 256;

  private record Flushed(Update update, long atMicros) {}

  private final RedisLink link;
  private final RedisTime time;
  private final Replica replica;
  private final HopRecorder hops;
  private final BlockingQueue<Flushed> queue;
  private final Counter dropped;
  private final Thread thread;

  DeliveryLog(
      RedisLink link,
      RedisTime time,
      Replica replica,
      HopRecorder hops,
      int capacity,
      MeterRegistry meters) {
    this.link = link;
    this.time = time;
    this.replica = replica;
    this.hops = hops;
    this.queue = new ArrayBlockingQueue<>(capacity);
    this.dropped =
        Counter.builder("delivery.log.dropped")
            .description("Flushed updates that the timeline does not show: queue full, Redis away")
            .register(meters);
    this.thread = Thread.ofPlatform().name("delivery-log").daemon().unstarted(this::send);
  }

  void start() {
    thread.start();
  }

  @Override
  public void flushed(Update update) {
    hops.record(Hop.DELIVERED, "delivered", update.operationId(), update.correlationId());
    if (!queue.offer(new Flushed(update, time.micros()))) {
      dropped.increment();
    }
  }

  private void send() {
    List<Flushed> batch = new ArrayList<>(BATCH);
    while (!Thread.currentThread().isInterrupted()) {
      try {
        batch.add(queue.take());
      } catch (InterruptedException e) {
        return;
      }
      queue.drainTo(batch, BATCH - 1);
      for (Flushed flushed : batch) {
        note(flushed);
      }
      batch.clear();
    }
  }

  private void note(Flushed flushed) {
    try {
      var _ =
          link.start(
                  Script.DELIVERED,
                  List.of(Keys.timeline(flushed.update().operationId())),
                  List.of(
                      Long.toString(flushed.update().version()).getBytes(UTF_8),
                      Long.toString(flushed.atMicros()).getBytes(UTF_8),
                      replica.name().getBytes(UTF_8)))
              .whenComplete((_, failure) -> {
                if (failure != null) {
                  dropped.increment();
                }
              });
    } catch (RuntimeException e) {
      dropped.increment();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
