package dev.lastmile.redis;

import com.github.benmanes.caffeine.cache.Ticker;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.api.StatefulConnection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to Redis that is established again after it broke, until {@link #close}: one attempt
 * at a time, at a fixed rate.
 *
 * <p>The automatic reconnect of Lettuce is off. It backs off to 30 s, and it sends the commands of
 * the old connection again before the epochs are checked against the new Redis process.
 *
 * @param <C> the kind of connection
 */
public final class ReconnectingConnection<C extends StatefulConnection<?, ?>>
    implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ReconnectingConnection.class);

  /**
   * What is done with a connection. The methods run on a virtual thread, one after the other,
   * except {@link #lost}. So a server that does not answer takes no thread of the scheduler.
   */
  public interface Steps<C> {
    /** Starts to connect. May block for the time of one attempt. */
    CompletionStage<C> dial();

    /** Prepares a connection before it is used; throws if it cannot be used. May block. */
    void prepare(C fresh);

    /** The connection is in use. Must not block for long. */
    void connected();

    /** The attempt failed, and another one follows. */
    void failed(RuntimeException failure);

    /** The connection broke or was dropped, and the next attempt is requested. Any thread. */
    void lost();
  }

  private final Steps<C> steps;
  private final Duration timeout;
  private final long pauseMillis;
  private final Ticker ticker;
  private final RequestedTask task;

  /** Set by an attempt; cleared when that connection breaks or is dropped. */
  private final AtomicReference<@Nullable C> connection = new AtomicReference<>();

  /** Does not connect before {@link #start}. */
  public ReconnectingConnection(
      Steps<C> steps,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler) {
    this.steps = steps;
    this.timeout = properties.attemptLimit();
    this.pauseMillis = properties.redialInterval().toMillis();
    this.ticker = ticker;
    this.task = new RequestedTask("redis-connect", pauseMillis, this::attempt, scheduler);
  }

  /** The connection that is in use; null if there is none. */
  public @Nullable C current() {
    return connection.get();
  }

  /** Starts to connect. Any thread; returns at once. */
  public void start() {
    task.request();
  }

  /** As {@link #close}, but returns at once. Any thread. */
  public void retire() {
    task.close();
    closeAsync(connection.getAndSet(null));
  }

  /**
   * Closes a connection that does not work and requests another one. Any thread; returns at once.
   *
   * @return whether there was one
   */
  public boolean drop() {
    C current = connection.get();
    if (current == null) {
      return false;
    }
    lost(current);
    closeAsync(current);
    return true;
  }

  /** One attempt. Another one follows a failure, at a fixed rate. */
  private long attempt() {
    long begun = ticker.read();
    try {
      connect();
      return 0;
    } catch (RuntimeException e) {
      steps.failed(e);
      task.request();
      return Math.max(0, pauseMillis - (ticker.read() - begun) / 1_000_000);
    }
  }

  private void connect() {
    if (task.isClosed() || connection.get() != null) {
      return;
    }
    C fresh = await(steps.dial());
    try {
      fresh.addListener(
          new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
              lost(fresh);
            }
          });
      steps.prepare(fresh);
      connection.set(fresh);
    } catch (RuntimeException e) {
      closeAsync(fresh);
      throw e;
    }
    if (task.isClosed()) {
      // Since the check above; retire() or close() may not have seen this connection.
      closeAsync(connection.getAndSet(null));
    } else if (fresh.isOpen()) {
      taken();
    } else {
      // It broke before it was in use, when the listener had nothing to clear.
      lost(fresh);
    }
  }

  private void taken() {
    try {
      steps.connected();
    } catch (RuntimeException e) {
      // The connection itself is in use.
      LOG.atError().setCause(e).log("redis_listener_failed");
    }
  }

  private void lost(C broken) {
    if (connection.compareAndSet(broken, null) && !task.isClosed()) {
      try {
        steps.lost();
      } finally {
        task.request();
      }
    }
  }

  /**
   * Waits for a connection, for a limited time. A network that swallows all packets must not delay
   * the attempt that succeeds. A connection that is established after the limit is closed.
   *
   * @throws RedisUnavailableException if there is no connection within the limit
   */
  private C await(CompletionStage<C> connecting) {
    CompletableFuture<C> future = connecting.toCompletableFuture();
    try {
      return future.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      var _ = future.thenCompose(StatefulConnection::closeAsync);
      throw new RedisUnavailableException("not connected within " + timeout.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      throw new RedisUnavailableException("not connected", e);
    } catch (InterruptedException e) {
      var _ = future.thenCompose(StatefulConnection::closeAsync);
      Thread.currentThread().interrupt();
      throw new RedisUnavailableException("interrupted", e);
    }
  }

  private static void closeAsync(@Nullable StatefulConnection<?, ?> unwanted) {
    if (unwanted != null) {
      var _ = unwanted.closeAsync();
    }
  }

  @Override
  public void close() {
    task.close();
    C current = connection.getAndSet(null);
    if (current != null) {
      current.close();
    }
  }
}
