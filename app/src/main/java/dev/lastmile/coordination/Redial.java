package dev.lastmile.coordination;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.api.StatefulConnection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/**
 * Tries to connect until it works, one attempt at a time, at a fixed rate, on a thread of its own.
 *
 * <p>Lettuce's own reconnect is off: it backs off to 30 s, and it would send commands of the old
 * connection again on the new one, before we could look whether Redis is still the same process.
 */
final class Redial implements AutoCloseable {
  private final Runnable attempt;
  private final long pauseMillis;
  private final LongSupplier nanos;
  private final ScheduledExecutorService thread;

  @GuardedBy("this")
  private boolean dialling;

  /**
   * @param attempt connects and returns, or throws; runs on the thread of this object only
   */
  Redial(String name, Duration pause, LongSupplier nanos, Runnable attempt) {
    this.nanos = nanos;
    this.attempt = attempt;
    this.pauseMillis = pause.toMillis();
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name(name).daemon().factory());
  }

  /** Starts to dial unless that is under way. Any thread; returns at once. */
  synchronized void start() {
    if (!dialling) {
      dialling = true;
      submit(0);
    }
  }

  private void submit(long delayMillis) {
    try {
      var _ = thread.schedule(this::dial, delayMillis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // Closed: nobody waits for a connection any more.
    }
  }

  private void dial() {
    synchronized (this) {
      // Cleared before the attempt: a connection that breaks during it asks for the next one.
      dialling = false;
    }
    long begun = nanos.getAsLong();
    try {
      attempt.run();
    } catch (RuntimeException e) {
      synchronized (this) {
        if (!dialling) {
          dialling = true;
          long tookMillis = (nanos.getAsLong() - begun) / 1_000_000;
          submit(Math.max(0, pauseMillis - tookMillis));
        }
      }
    }
  }

  /**
   * Waits for a connection, but not for long: a network that swallows everything must not make us
   * miss the moment when it is back. One that comes too late is closed.
   */
  static <T extends StatefulConnection<?, ?>> T await(CompletionStage<T> dialled, Duration atMost) {
    CompletableFuture<T> future = dialled.toCompletableFuture();
    try {
      return future.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      var _ = future.thenCompose(StatefulConnection::closeAsync);
      throw new RedisAwayException("not connected within " + atMost.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      throw new RedisAwayException("not connected", e);
    } catch (InterruptedException e) {
      var _ = future.thenCompose(StatefulConnection::closeAsync);
      Thread.currentThread().interrupt();
      throw new RedisAwayException("interrupted", e);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
