package dev.lastmile.pubsub;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.ReconnectingConnection;
import dev.lastmile.redis.RedisDialer;
import dev.lastmile.redis.RedisProperties;
import dev.lastmile.updates.Partition;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The subscription at one primary, to the channels of its partitions. The wanted partitions change
 * when slots move: then the connection stays, and only the changed partitions are subscribed or
 * unsubscribed. Lettuce renews no subscription here.
 */
final class PrimarySubscription {
  private static final Logger LOG = LoggerFactory.getLogger(PrimarySubscription.class);

  /** What happens to a subscription. The methods must not block, except {@link #dial}. */
  interface Events {
    /** Starts to connect. May block for the time of one attempt. */
    CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> dial(InetSocketAddress primary);

    /** A message, on the event loop. */
    void received(Partition partition, byte[] message);

    /** No message of these partitions is lost from now on. */
    void subscribed(Collection<Partition> partitions);

    /** The primary does not have a wanted partition, or no longer. Any thread. */
    void moved(Partition partition);

    /** The connection could not be opened, or the subscription was refused. */
    void failed(RuntimeException failure);
  }

  private final InetSocketAddress primary;
  private final PubsubChannels channels;
  private final Duration timeout;
  private final Events events;
  private final ReconnectingConnection<StatefulRedisPubSubConnection<String, byte[]>> connection;

  private volatile Set<Partition> wanted = Set.of();
  private volatile @Nullable SubscribedChannels subscribed;
  private final AtomicBoolean updating = new AtomicBoolean();

  PrimarySubscription(
      InetSocketAddress primary,
      PubsubChannels channels,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      Events events) {
    this.primary = primary;
    this.channels = channels;
    this.timeout = properties.handshakeTimeout();
    this.events = events;
    this.connection = new ReconnectingConnection<>(new Steps(), properties, ticker, scheduler);
  }

  /** Starts to connect; returns at once. */
  void start() {
    connection.start();
  }

  /** Ends the subscription and starts no other one; returns at once. */
  void retire() {
    connection.retire();
  }

  boolean wants(Partition partition) {
    return wanted.contains(partition);
  }

  /** Whether all channels of a partition are subscribed. */
  boolean has(Partition partition) {
    SubscribedChannels now = used();
    return now != null && now.has(partition);
  }

  /** Wants these partitions and no others. Any thread; returns at once. */
  void want(Set<Partition> partitions) {
    wanted = Set.copyOf(partitions);
    if (used() != null && updating.compareAndSet(false, true)) {
      Thread.ofVirtual().name("subscribe").start(this::update);
    }
  }

  /** Drops the subscription and subscribes again. Any thread; returns at once. */
  void drop(String reason) {
    if (connection.drop()) {
      LOG.atWarn()
          .addKeyValue("reason", reason)
          .addKeyValue("primary", RedisDialer.text(primary))
          .log("subscription_dropped");
    }
  }

  private @Nullable SubscribedChannels used() {
    SubscribedChannels now = subscribed;
    return now != null && now.isOf(connection.current()) ? now : null;
  }

  private void update() {
    updating.set(false);
    SubscribedChannels now = used();
    if (now == null) {
      // The next connection subscribes to what is wanted then.
      return;
    }
    try {
      Set<Partition> added = now.change();
      if (!added.isEmpty()) {
        events.subscribed(added);
      }
    } catch (RuntimeException e) {
      events.failed(e);
      // A newer connection has subscribed to everything by itself.
      if (now.equals(used())) {
        drop("a partition could not be subscribed");
      }
    }
  }

  private final class Steps
      implements ReconnectingConnection.Steps<StatefulRedisPubSubConnection<String, byte[]>> {
    @Override
    public CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> dial() {
      return events.dial(primary);
    }

    @Override
    public void prepare(StatefulRedisPubSubConnection<String, byte[]> fresh) {
      SubscribedChannels next =
          new SubscribedChannels(fresh, channels, timeout, () -> wanted, events);
      fresh.addListener(next);
      next.change();
      subscribed = next;
    }

    @Override
    public void connected() {
      SubscribedChannels now = used();
      if (now == null) {
        return;
      }
      events.subscribed(wanted.stream().filter(now::has).toList());
      // What was wanted since.
      want(wanted);
    }

    @Override
    public void failed(RuntimeException failure) {
      events.failed(failure);
    }

    @Override
    public void lost() {
      LOG.atWarn().addKeyValue("primary", RedisDialer.text(primary)).log("subscription_lost");
    }
  }
}
