package dev.lastmile.pubsub;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.redis.ReconnectingConnection;
import dev.lastmile.redis.RedisDialer;
import dev.lastmile.redis.RedisErrors;
import dev.lastmile.redis.RedisProperties;
import dev.lastmile.streams.Dispatcher;
import dev.lastmile.telemetry.Metric;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * The subscription of this replica. It receives every published update of every channel.
 *
 * <p>The listener runs on the event loop of Lettuce, passes each message on and never blocks.
 * Messages published between the last received message and the next subscription may be lost: this
 * time is a loss window. At its end its length is counted, and every stream is reconciled with the
 * stored state.
 */
@Component
final class Subscriber implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Subscriber.class);

  private final RedisDialer dialer;
  private final RedisErrors errors;
  private final String topic;
  private final SubscriptionMonitor monitor;
  private final Dispatcher dispatcher;
  private final FanOutSwitch fanOut;
  private final Ticker ticker;
  private final Counter resubscriptions;
  private final Counter lossWindowSeconds;

  private final ReconnectingConnection<StatefulRedisPubSubConnection<String, byte[]>> connection;

  /** When the last message was received: a message published after it may be lost. */
  private volatile long receivedAtNanos;

  private volatile boolean everSubscribed;

  /** The end of the last loss window that was counted. */
  @GuardedBy("this")
  private long windowEndNanos = Long.MIN_VALUE;

  Subscriber(
      RedisDialer dialer,
      RedisErrors errors,
      RedisProperties properties,
      SubscriptionMonitor monitor,
      Dispatcher dispatcher,
      FanOutSwitch fanOut,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      MeterRegistry meters) {
    this.dialer = dialer;
    this.errors = errors;
    this.topic = dialer.topic();
    this.monitor = monitor;
    this.dispatcher = dispatcher;
    this.fanOut = fanOut;
    this.ticker = ticker;
    this.connection = new ReconnectingConnection<>(new Steps(), properties, ticker, scheduler);
    this.resubscriptions = Metric.RESUBSCRIPTIONS.counter(meters);
    this.lossWindowSeconds = Metric.LOSS_WINDOW.counter(meters);
  }

  /** Subscribes, for the first time or after {@link #pause}. Any thread; returns at once. */
  void start() {
    connection.start();
  }

  /** Ends the subscription until {@link #start}. Any thread; returns at once. */
  void pause() {
    connection.pause();
  }

  boolean isSubscribed() {
    return connection.current() != null;
  }

  /** On the event loop; does not block. */
  private void receive(byte[] message) {
    if (fanOut.isDiscarding()) {
      return;
    }
    receivedAtNanos = ticker.read();
    if (!monitor.isCanary(message)) {
      dispatcher.receive(message);
    }
  }

  private final class Steps
      implements ReconnectingConnection.Steps<StatefulRedisPubSubConnection<String, byte[]>> {
    /** When the last message before the loss window was received. */
    private long receivedBefore;

    /** Whether a loss window is open. */
    private boolean windowOpen;

    @Override
    public CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> dial() {
      return dialer.connectPubSub();
    }

    @Override
    public void prepare(StatefulRedisPubSubConnection<String, byte[]> fresh) {
      if (!windowOpen) {
        windowOpen = true;
        receivedBefore = receivedAtNanos;
      }
      fresh.addListener(
          new RedisPubSubAdapter<String, byte[]>() {
            @Override
            public void message(String from, byte[] envelope) {
              receive(envelope);
            }
          });
      // Returns after the confirmation of Redis. From then on this connection loses no message.
      fresh.sync().subscribe(topic);
    }

    @Override
    public void connected() {
      windowOpen = false;
      windowClosed(receivedBefore);
      dispatcher.reconcileAll();
    }

    @Override
    public void failed(RuntimeException failure) {
      errors.reportSubscribe(failure);
    }

    @Override
    public void lost() {
      LOG.atWarn().addKeyValue("topic", topic).log("subscription_lost");
    }
  }

  private void windowClosed(long receivedBefore) {
    long now = ticker.read();
    if (everSubscribed) {
      resubscriptions.increment();
      lossWindow(receivedBefore);
    } else {
      everSubscribed = true;
      LOG.atInfo().addKeyValue("topic", topic).log("subscribed");
    }
    receivedAtNanos = now;
  }

  /**
   * Counts the time from the given time until now as a loss window, without the part that was
   * counted before. The caller reconciles the streams.
   */
  synchronized void lossWindow(long fromNanos) {
    long now = ticker.read();
    double seconds = (now - Math.max(fromNanos, windowEndNanos)) / 1e9;
    windowEndNanos = now;
    lossWindowSeconds.increment(seconds);
    LOG.atWarn().addKeyValue("seconds", seconds).log("loss_window_closed");
  }

  /** Drops the subscription and subscribes again. Any thread; returns at once. */
  void renew(String reason) {
    if (connection.drop()) {
      LOG.atWarn().addKeyValue("reason", reason).log("subscription_dropped");
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
