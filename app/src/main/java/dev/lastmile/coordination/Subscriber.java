package dev.lastmile.coordination;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.telemetry.Metric;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one subscription of this replica: every update of every channel arrives here.
 *
 * <p>The listener runs on Lettuce's event loop and only hands over. What is published between the
 * last message that was heard and the next subscription may be missed: a loss window. When it
 * closes, its length is counted and the caller reconciles every connection from state.
 */
final class Subscriber implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Subscriber.class);

  private final RedisClient client;
  private final String topic;
  private final RedisURI uri;
  private final Duration timeout;
  private final Duration dialTimeout;
  private final Consumer<byte[]> receiver;
  private final BooleanSupplier deafened;
  private final Runnable reconcile;
  private final LongSupplier nanos;
  private final Redial redial;
  private final Counter resubscriptions;
  private final Counter lossWindowSeconds;

  private final AtomicReference<@Nullable StatefulRedisPubSubConnection<String, byte[]>>
      connection = new AtomicReference<>();
  private volatile boolean closed;

  /** Whether nobody wants to listen at the moment. */
  private volatile boolean paused;

  /** When something was heard for the last time: what was published after that may be missed. */
  private volatile long heardAtNanos;

  private volatile boolean everSubscribed;

  /** Up to when loss windows have been counted. */
  @GuardedBy("this")
  private long windowEndNanos = Long.MIN_VALUE;

  /**
   * @param receiver takes each envelope on the event loop; must not block
   * @param deafened whether what arrives is to be dropped, as if it had not arrived
   * @param reconcile runs after each subscription, on the dialling thread
   */
  Subscriber(
      RedisClient client,
      RedisProperties properties,
      Consumer<byte[]> receiver,
      BooleanSupplier deafened,
      Runnable reconcile,
      LongSupplier nanos,
      MeterRegistry meters) {
    this.client = client;
    this.topic = properties.topic();
    this.uri = properties.uri();
    this.timeout = properties.timeout();
    this.dialTimeout = properties.dialTimeout();
    this.receiver = receiver;
    this.deafened = deafened;
    this.reconcile = reconcile;
    this.nanos = nanos;
    this.redial =
        new Redial("redis-subscriber", properties.redialInterval(), nanos, this::subscribe);
    this.resubscriptions = Metric.RESUBSCRIPTIONS.counter(meters);
    this.lossWindowSeconds = Metric.LOSS_WINDOW.counter(meters);
  }

  /** Starts to listen, for the first time or after {@link #pause}. Any thread; returns at once. */
  void start() {
    paused = false;
    redial.start();
  }

  /** Gives the subscription up until {@link #start}. Any thread; returns at once. */
  void pause() {
    paused = true;
    drop();
  }

  private void drop() {
    StatefulRedisPubSubConnection<String, byte[]> current = connection.getAndSet(null);
    if (current != null) {
      var _ = current.closeAsync();
    }
  }

  boolean isSubscribed() {
    return connection.get() != null;
  }

  private void subscribe() {
    if (closed || paused || connection.get() != null) {
      return;
    }
    StatefulRedisPubSubConnection<String, byte[]> fresh =
        Redial.await(client.connectPubSubAsync(RedisLink.CODEC, uri), dialTimeout);
    long heardBefore = heardAtNanos;
    try {
      fresh.addListener(
          new RedisPubSubAdapter<String, byte[]>() {
            @Override
            public void message(String from, byte[] envelope) {
              if (!deafened.getAsBoolean()) {
                heardAtNanos = nanos.getAsLong();
                receiver.accept(envelope);
              }
            }
          });
      fresh.addListener(
          new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
              lost(fresh);
            }
          });
      // Completes when Redis has confirmed: from then on nothing is missed on this connection.
      fresh.async().subscribe(topic).get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      connection.set(fresh);
    } catch (ExecutionException | TimeoutException e) {
      var _ = fresh.closeAsync();
      throw new RedisAwayException("no subscription", e);
    } catch (InterruptedException e) {
      var _ = fresh.closeAsync();
      Thread.currentThread().interrupt();
      return;
    }
    if (paused) {
      // Since we looked; whoever paused may not have seen this connection.
      drop();
      return;
    }
    windowClosed(heardBefore);
    reconcile.run();
    if (!fresh.isOpen()) {
      lost(fresh);
    }
  }

  private void windowClosed(long heardBefore) {
    long now = nanos.getAsLong();
    if (everSubscribed) {
      resubscriptions.increment();
      lossWindow(heardBefore);
      heardAtNanos = now;
    } else {
      everSubscribed = true;
      heardAtNanos = now;
      LOG.atInfo().addKeyValue("topic", topic).log("subscribed");
    }
  }

  /**
   * Counts the time until now in which something may have been missed, except what was counted
   * before; the caller reconciles.
   */
  synchronized void lossWindow(long fromNanos) {
    long now = nanos.getAsLong();
    double seconds = (now - Math.max(fromNanos, windowEndNanos)) / 1e9;
    windowEndNanos = now;
    lossWindowSeconds.increment(seconds);
    LOG.atWarn().addKeyValue("seconds", seconds).log("loss_window_closed");
  }

  private void lost(StatefulRedisPubSubConnection<String, byte[]> broken) {
    if (!connection.compareAndSet(broken, null)) {
      return;
    }
    if (!closed) {
      LOG.atWarn().addKeyValue("topic", topic).log("subscription_lost");
      redial.start();
    }
  }

  /** Gives the subscription up and makes a new one. Any thread; returns at once. */
  void renew(String why) {
    StatefulRedisPubSubConnection<String, byte[]> current = connection.get();
    if (current != null) {
      LOG.atWarn().addKeyValue("reason", why).log("subscription_given_up");
      lost(current);
      var _ = current.closeAsync();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    redial.close();
    StatefulRedisPubSubConnection<String, byte[]> current = connection.get();
    if (current != null) {
      current.close();
    }
  }
}
