package dev.lastmile.pubsub;

import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.updates.Partition;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection, and the channels whose subscription it has. It listens on the event loop.
 *
 * <p>What the server confirms counts, not what was asked for: a server ends subscriptions by itself
 * when their slot moves. A partition that the server does not have is left out, and the others are
 * subscribed all the same.
 */
final class SubscribedChannels extends RedisPubSubAdapter<String, byte[]> {
  private static final Logger LOG = LoggerFactory.getLogger(SubscribedChannels.class);

  private final StatefulRedisPubSubConnection<String, byte[]> connection;
  private final PubsubChannels channels;
  private final Duration timeout;
  private final Supplier<Set<Partition>> wanted;
  private final PrimarySubscription.Events events;
  private final Set<String> confirmed = ConcurrentHashMap.newKeySet();
  private final Map<String, CompletableFuture<Void>> awaited = new ConcurrentHashMap<>();

  /**
   * Nothing is subscribed yet.
   *
   * @param timeout of a change
   * @param wanted the partitions to subscribe
   */
  SubscribedChannels(
      StatefulRedisPubSubConnection<String, byte[]> connection,
      PubsubChannels channels,
      Duration timeout,
      Supplier<Set<Partition>> wanted,
      PrimarySubscription.Events events) {
    this.connection = connection;
    this.channels = channels;
    this.timeout = timeout;
    this.wanted = wanted;
    this.events = events;
  }

  /** Whether this is the connection. */
  boolean isOf(@Nullable StatefulRedisPubSubConnection<String, byte[]> other) {
    return connection.equals(other);
  }

  /**
   * Subscribes and unsubscribes until the connection has what is wanted. Returns after the
   * confirmations of Redis; from then on the connection loses no message. Each channel has a
   * command of its own, since those of one command must lie in one slot.
   *
   * @return the partitions that were added
   * @throws RedisUnavailableException if Redis does not confirm in time, or refuses
   */
  synchronized Set<Partition> change() {
    Set<Partition> now = wanted.get();
    for (String channel : confirmed) {
      if (!now.contains(Partition.ofKey(channel))) {
        // Where it fails, the next change repeats it.
        var _ =
            connection.async().sunsubscribe(channel).whenComplete((_, failure) -> ended(failure));
      }
    }
    Map<Partition, List<CompletableFuture<Void>>> asked = new LinkedHashMap<>();
    for (Partition partition : now) {
      if (!has(partition)) {
        asked.put(partition, channels.wanted(partition).stream().map(this::subscribe).toList());
      }
    }
    awaitAll(asked.values());
    asked.forEach(this::check);
    return asked.keySet().stream().filter(this::has).collect(Collectors.toUnmodifiableSet());
  }

  private static void ended(@Nullable Throwable failure) {
    if (failure != null) {
      LOG.atDebug().setCause(failure).log("unsubscribe_failed");
    }
  }

  /** Waits until each has ended, in whatever way. */
  private void awaitAll(Collection<List<CompletableFuture<Void>>> confirmations) {
    CompletableFuture<?>[] ended =
        confirmations.stream()
            .flatMap(List::stream)
            .map(each -> each.handle((_, _) -> true))
            .toArray(CompletableFuture[]::new);
    try {
      CompletableFuture.allOf(ended).get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException e) {
      throw new RedisUnavailableException("not subscribed within " + timeout, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisUnavailableException("interrupted", e);
    }
  }

  private void check(Partition partition, List<CompletableFuture<Void>> ended) {
    for (CompletableFuture<Void> each : ended) {
      if (each.isCompletedExceptionally()) {
        RedisUnavailableException failure =
            new RedisUnavailableException("not subscribed", each.exceptionNow());
        if (!failure.isSlotNotServed()) {
          throw failure;
        }
        events.moved(partition);
      }
    }
  }

  /** Whether all channels of a partition are subscribed. */
  boolean has(Partition partition) {
    return confirmed.containsAll(channels.wanted(partition));
  }

  /** Completes after {@link #has} knows it: Lettuce completes its own future before. */
  private CompletableFuture<Void> subscribe(String channel) {
    CompletableFuture<Void> confirmation = new CompletableFuture<>();
    awaited.put(channel, confirmation);
    var _ =
        connection
            .async()
            .ssubscribe(channel)
            .whenComplete((_, failure) -> {
              if (failure != null) {
                confirmation.completeExceptionally(failure);
              }
            });
    return confirmation;
  }

  @Override
  public void smessage(String channel, byte[] message) {
    events.received(Partition.ofKey(channel), message);
  }

  @Override
  public void ssubscribed(String channel, long count) {
    confirmed.add(channel);
    CompletableFuture<Void> confirmation = awaited.remove(channel);
    if (confirmation != null) {
      confirmation.complete(null);
    }
  }

  /** The reply to our own command, or the slot has moved. */
  @Override
  public void sunsubscribed(String channel, long count) {
    Partition partition = Partition.ofKey(channel);
    if (confirmed.remove(channel) && wanted.get().contains(partition)) {
      LOG.atInfo().addKeyValue("partition", partition.index()).log("partition_unsubscribed");
      events.moved(partition);
    }
  }
}
