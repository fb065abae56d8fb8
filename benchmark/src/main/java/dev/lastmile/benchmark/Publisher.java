package dev.lastmile.benchmark;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;
import org.HdrHistogram.AtomicHistogram;

/**
 * Sends updates to a candidate while its streams are read. One thread calls.
 *
 * <p>A rate is an open loop: each update has an instant at which it is due to leave, and its
 * latency counts from there, so that a delay in the server or in this process is measured. A window
 * is a closed loop: the next update leaves when an earlier one has reached all of its streams.
 */
final class Publisher implements AutoCloseable {
  private static final long LEAD_NANOS = 20_000_000;
  private static final Duration STRAGGLERS = Duration.ofSeconds(5);
  private static final int MOST_IN_WINDOW_PHASE = 1 << 18;
  private static final long LONGEST_MICROS = 60_000_000;

  private final Candidate candidate;
  private final DeliveryRecorder recorder;
  private final IntUnaryOperator channels;
  private final int recipients;
  private final List<Caller> callers = new ArrayList<>();
  private int nextNumber = 1;

  /**
   * Sends nothing yet.
   *
   * @param channels channel of an update, by its number
   * @param recipients streams of each channel
   * @param connections over which updates leave at the same time; 1 keeps them in order
   */
  Publisher(
      Candidate candidate,
      DeliveryRecorder recorder,
      IntUnaryOperator channels,
      int recipients,
      int connections) {
    this.candidate = candidate;
    this.recorder = recorder;
    this.channels = channels;
    this.recipients = recipients;
    for (int i = 0; i < connections; i++) {
      callers.add(new Caller());
    }
  }

  /** The counters of one phase while updates leave. */
  private final class Run {
    final int first = nextNumber;
    final AtomicInteger taken = new AtomicInteger();
    final AtomicInteger errors = new AtomicInteger();
    final AtomicHistogram lag = new AtomicHistogram(LONGEST_MICROS, 3);
    final Usage before = Usage.of(candidate);
    final long begunNanos = Ticker.nanos() + LEAD_NANOS;

    void send(Caller caller, int number, long instantNanos) {
      long late = (Ticker.nanos() - instantNanos) / 1_000;
      lag.recordValue(Math.clamp(late, 0, LONGEST_MICROS));
      try {
        Request update = candidate.update(channels.applyAsInt(number), instantNanos, number);
        boolean good = caller.send(update).isGood();
        (good ? taken : errors).incrementAndGet();
      } catch (IOException e) {
        errors.incrementAndGet();
      }
    }

    Figures end(Phase phase, int sent) {
      nextNumber = first + sent;
      long expected = (long) taken.get() * recipients;
      Ticker.await(STRAGGLERS, () -> phase.received() >= expected);
      long end = phase.received() >= expected ? phase.lastNanos() : Ticker.nanos();
      return new Figures(
          taken.get(),
          errors.get(),
          expected,
          phase.received(),
          phase.strays(),
          Math.max(1, end - begunNanos) / 1e9,
          lag.copy(),
          phase.latency(),
          phase.fanOut(),
          Usage.of(candidate).minus(before));
    }
  }

  /** Sends at a fixed rate, whether or not updates arrive. */
  Figures rate(double perSecond, Duration time) {
    int count = Math.max(1, (int) (perSecond * time.toMillis() / 1_000));
    Run run = new Run();
    Phase phase = new Phase(run.first, count, recipients, channels, () -> {});
    recorder.begin(phase);
    AtomicInteger next = new AtomicInteger();
    double intervalNanos = 1e9 / perSecond;
    inAllThreads(caller -> {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        long instant = run.begunNanos + (long) (i * intervalNanos);
        Ticker.until(instant);
        run.send(caller, run.first + i, instant);
      }
    });
    return run.end(phase, count);
  }

  /** Sends one update after the other, with at most {@code width} in flight. */
  Figures window(int width, Duration time) {
    Run run = new Run();
    Semaphore places = new Semaphore(width);
    Phase phase = new Phase(run.first, MOST_IN_WINDOW_PHASE, recipients, channels, places::release);
    recorder.begin(phase);
    Ticker.until(run.begunNanos);
    long end = run.begunNanos + time.toNanos();
    int sent = 0;
    while (Ticker.nanos() < end && sent < MOST_IN_WINDOW_PHASE && take(places)) {
      run.send(callers.getFirst(), run.first + sent, Ticker.nanos());
      sent++;
    }
    return run.end(phase, sent);
  }

  /** False if no update has become complete in time: one is lost. */
  private static boolean take(Semaphore places) {
    try {
      return places.tryAcquire(STRAGGLERS.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void inAllThreads(java.util.function.Consumer<Caller> work) {
    List<Thread> threads =
        callers.stream()
            .map(caller -> Thread.ofPlatform().daemon().start(() -> work.accept(caller)))
            .toList();
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      threads.forEach(Thread::interrupt);
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    callers.forEach(Caller::close);
  }
}
