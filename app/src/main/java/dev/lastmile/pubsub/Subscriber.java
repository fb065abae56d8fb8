package dev.lastmile.pubsub;

import com.github.benmanes.caffeine.cache.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisDialer;
import dev.lastmile.redis.RedisErrors;
import dev.lastmile.redis.RedisProperties;
import dev.lastmile.streams.Dispatcher;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Partition;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLongArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * The subscriptions of this replica, one at each primary: to its inbox and to the updates for all
 * replicas, in each partition. The publisher decides which of them it uses.
 *
 * <p>The listener runs on the event loop of Lettuce, passes each message on and never blocks.
 * Messages published between the last received message of a partition and its next subscription may
 * be lost: this time is a loss window. At its end its length is counted, and the streams of the
 * partition are reconciled with the stored state.
 */
@Component
final class Subscriber implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Subscriber.class);

  private final RedisConnection redis;
  private final RedisDialer dialer;
  private final RedisErrors errors;
  private final PubsubChannels channels;
  private final RedisProperties properties;
  private final SubscriptionMonitor monitor;
  private final Dispatcher dispatcher;
  private final FanOutSwitch fanOut;
  private final Ticker ticker;
  private final ScheduledExecutorService scheduler;
  private final Counter resubscriptions;
  private final Counter lossWindowSeconds;

  /** By primary; changed under the lock {@link #following}. */
  private volatile Map<InetSocketAddress, PrimarySubscription> subscriptions = Map.of();

  private final Object following = new Object();

  /** By partition: when the last message was received; one published after it may be lost. */
  private final AtomicLongArray receivedAtNanos = new AtomicLongArray(Partition.COUNT);

  /** The partitions that were ever subscribed. */
  @GuardedBy("this")
  private Set<Partition> known = Set.of();

  /** The end of the last loss window that was counted. */
  @GuardedBy("this")
  private long windowEndNanos = Long.MIN_VALUE;

  private volatile boolean wanted;

  Subscriber(
      RedisConnection redis,
      RedisDialer dialer,
      RedisErrors errors,
      PubsubChannels channels,
      RedisProperties properties,
      SubscriptionMonitor monitor,
      Dispatcher dispatcher,
      FanOutSwitch fanOut,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      MeterRegistry meters) {
    this.redis = redis;
    this.dialer = dialer;
    this.errors = errors;
    this.channels = channels;
    this.properties = properties;
    this.monitor = monitor;
    this.dispatcher = dispatcher;
    this.fanOut = fanOut;
    this.ticker = ticker;
    this.scheduler = scheduler;
    this.resubscriptions = Metric.RESUBSCRIPTIONS.counter(meters);
    this.lossWindowSeconds = Metric.LOSS_WINDOW.counter(meters);
  }

  /** Subscribes, for the first time or after {@link #pause}. Any thread; returns at once. */
  void start() {
    wanted = true;
    follow();
  }

  /** Ends the subscriptions until {@link #start}. Any thread; returns at once. */
  void pause() {
    wanted = false;
    follow();
  }

  /**
   * Subscribes where the partitions are now. Without a change it subscribes again what a server has
   * ended. Any thread; returns at once.
   */
  void follow() {
    synchronized (following) {
      Map<InetSocketAddress, Set<Partition>> assignment = wanted ? redis.assignment() : Map.of();
      Map<InetSocketAddress, PrimarySubscription> next = new HashMap<>();
      List<PrimarySubscription> fresh = new ArrayList<>();
      assignment.forEach((primary, partitions) -> {
        PrimarySubscription subscription = subscriptions.get(primary);
        if (subscription == null) {
          subscription = subscription(primary);
          fresh.add(subscription);
        }
        next.put(primary, subscription);
        subscription.want(partitions);
      });
      List<PrimarySubscription> over = new ArrayList<>(subscriptions.values());
      over.removeAll(next.values());
      subscriptions = Map.copyOf(next);
      fresh.forEach(PrimarySubscription::start);
      over.forEach(PrimarySubscription::retire);
    }
  }

  private PrimarySubscription subscription(InetSocketAddress primary) {
    return new PrimarySubscription(primary, channels, properties, ticker, scheduler, new Events());
  }

  /** Whether every partition is subscribed whose primary can be used. */
  boolean isSubscribed() {
    return Partition.ALL.stream()
        .filter(redis::isConnected)
        .allMatch(
            partition -> subscriptions.values().stream().anyMatch(each -> each.has(partition)));
  }

  private final class Events implements PrimarySubscription.Events {
    @Override
    public CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> dial(
        InetSocketAddress primary) {
      return dialer.connectPubSub(primary);
    }

    @Override
    public void received(Partition partition, byte[] message) {
      if (fanOut.isDiscarding()) {
        return;
      }
      receivedAtNanos.set(partition.index(), ticker.read());
      if (!monitor.isCanary(message)) {
        dispatcher.receive(message);
      }
    }

    @Override
    public void subscribed(Collection<Partition> partitions) {
      windowClosed(partitions);
      dispatcher.reconcile(partitions);
    }

    @Override
    public void moved(Partition partition) {
      redis.doubtAssignment();
    }

    @Override
    public void failed(RuntimeException failure) {
      errors.reportSubscribe(failure);
      redis.doubtAssignment();
    }
  }

  private void windowClosed(Collection<Partition> partitions) {
    long now = ticker.read();
    long since = now;
    boolean again = false;
    synchronized (this) {
      for (Partition partition : partitions) {
        if (known.contains(partition)) {
          again = true;
          since = Math.min(since, receivedAtNanos.get(partition.index()));
        }
        receivedAtNanos.set(partition.index(), now);
      }
      Set<Partition> all = new HashSet<>(known);
      all.addAll(partitions);
      known = Set.copyOf(all);
    }
    if (again) {
      resubscriptions.increment();
      lossWindow(since, partitions.size());
    } else {
      LOG.atInfo().addKeyValue("partitions", partitions.size()).log("subscribed");
    }
  }

  /**
   * Counts the time from the given time until now as a loss window, without the part that was
   * counted before. The caller reconciles the streams.
   */
  synchronized void lossWindow(long fromNanos, int partitions) {
    long now = ticker.read();
    double seconds = (now - Math.max(fromNanos, windowEndNanos)) / 1e9;
    windowEndNanos = now;
    lossWindowSeconds.increment(seconds);
    LOG.atWarn()
        .addKeyValue("seconds", seconds)
        .addKeyValue("partitions", partitions)
        .log("loss_window_closed");
  }

  /** Drops all subscriptions and subscribes again. Any thread; returns at once. */
  void renew(String reason) {
    subscriptions.values().forEach(subscription -> subscription.drop(reason));
  }

  /** As above, at the primaries of these partitions. */
  void renew(Collection<Partition> partitions, String reason) {
    for (PrimarySubscription subscription : subscriptions.values()) {
      if (partitions.stream().anyMatch(subscription::wants)) {
        subscription.drop(reason);
      }
    }
  }

  @Override
  public void close() {
    pause();
  }
}
