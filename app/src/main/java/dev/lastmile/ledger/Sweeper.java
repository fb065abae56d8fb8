package dev.lastmile.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.redis.HeldPartitions;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.store.FanOut;
import dev.lastmile.store.RetentionProperties;
import dev.lastmile.store.Timelines;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.DeliveryOutcome;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Redelivers and expires overdue deliveries, removes incarnations whose lease has ended, and later
 * the totals of their replicas.
 *
 * <p>Each partition is swept by the replica that holds it, see {@link HeldPartitions}. Two sweeps
 * at the same time have no other effect than one, because the script takes each entry once. One
 * sweep processes a bounded number of entries. If there were more, {@link Metric#SWEEP_BACKLOG}
 * counts it and the next sweep continues.
 */
@Component
public final class Sweeper {
  private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);
  private static final int CHANNELS_PER_CALL = 256;

  private final RedisConnection redis;
  private final HeldPartitions held;
  private final LedgerProperties properties;
  private final RetentionProperties retention;

  private final PubsubChannels channels;
  private final FanOut fanOut;
  private final HopRecorder hops;

  /** The partitions whose last sweep has not ended. */
  private final Set<Partition> sweeping = ConcurrentHashMap.newKeySet();

  private final Counter backlog;
  private final Counter replicasLost;

  Sweeper(
      RedisConnection redis,
      HeldPartitions held,
      LedgerProperties properties,
      RetentionProperties retention,
      PubsubChannels channels,
      FanOut fanOut,
      HopRecorder hops,
      MeterRegistry meters) {
    this.hops = hops;
    this.redis = redis;
    this.held = held;
    this.properties = properties;
    this.retention = retention;
    this.channels = channels;
    this.fanOut = fanOut;
    this.backlog = Metric.SWEEP_BACKLOG.counter(meters);
    this.replicasLost = Metric.REPLICAS_LOST.counter(meters);
  }

  /**
   * Starts to sweep the held partitions, in one pipeline, and returns at once. The replies are
   * processed on virtual threads. A partition whose last sweep has not ended is left out, so that a
   * primary that does not reply delays no other one.
   */
  public void sweep() {
    for (Partition partition : held.held()) {
      if (sweeping.add(partition)) {
        redis
            .completing(() -> redis.start(Script.SWEEP, keys(partition), arguments(partition)))
            .whenCompleteAsync(
                (reply, failure) -> ended(partition, reply, failure), Thread::startVirtualThread);
      }
    }
  }

  private void ended(
      Partition partition, @Nullable List<Object> reply, @Nullable Throwable failure) {
    try {
      if (reply != null) {
        finish(partition, new ScriptReply(reply));
      } else {
        // The next sweep of any replica continues; the script takes each entry once.
        LOG.atDebug().setCause(failure).log("sweep_failed");
      }
    } catch (RedisUnavailableException e) {
      LOG.atDebug().setCause(e).log("sweep_failed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("sweep_error");
    } finally {
      sweeping.remove(partition);
    }
  }

  private void finish(Partition partition, ScriptReply reply) {
    ScriptReply expired = reply.list(2);
    for (int i = 0; i < expired.size(); i++) {
      report(expired.text(i));
    }
    ScriptReply dead = reply.list(1);
    for (int i = 0; i < dead.size(); i++) {
      reap(partition, dead.text(i));
    }
    if (reply.number(0) > 0) {
      backlog.increment();
    }
  }

  private static List<String> keys(Partition partition) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(partition));
    keys.addAll(Keys.ledger(partition));
    keys.add(Keys.account(partition));
    keys.add(Keys.leases(partition));
    keys.add(Keys.expired(partition));
    return keys;
  }

  private ScriptArguments arguments(Partition partition) {
    return new ScriptArguments()
        .add(properties.redeliverAfter())
        .add(properties.expireAfter())
        .add(properties.sweepBatch())
        .add(fanOut.mode().publishes() ? channels.prefix(partition) : "")
        .add(properties.examples())
        .add(DeliveryOutcome.NOT_RECEIVED.wireName())
        .add(DeliveryOutcome.OWNER_GONE.wireName());
  }

  private void report(String line) {
    ExpiredDelivery expired = ExpiredDelivery.parse(line);
    LOG.atWarn()
        .addKeyValue("reason", expired.reason())
        .addKeyValue("owner", expired.owner())
        .addKeyValue("correlation_id", expired.correlationId())
        .addKeyValue("trace_id", expired.traceId())
        .addKeyValue("operation_id", expired.operationId())
        .addKeyValue("version", expired.version())
        .addKeyValue("channel_hash", expired.channelHash())
        .addKeyValue("age_seconds", expired.ageSeconds())
        .log("delivery_expired");
    Delivery delivery = ExpiredDelivery.delivery(line);
    long atMicros = ChronoUnit.MICROS.between(Instant.EPOCH, expired.at());
    CompletionStage<List<Object>> appended;
    try {
      appended =
          redis.start(
              Script.APPEND_TIMELINE,
              List.of(Keys.timeline(delivery.operationId())),
              new ScriptArguments()
                  .add(expired.version())
                  .add(atMicros)
                  .add(expired.replica())
                  .add(expired.reason()));
    } catch (RedisUnavailableException e) {
      LOG.atDebug().setCause(e).log("timeline_append_failed");
      appended = CompletableFuture.completedStage(List.of());
    }
    var _ =
        appended
            .exceptionally(_ -> List.of())
            .thenAccept(reply -> {
              String earlier = reply.isEmpty() ? "" : new ScriptReply(reply).text(0);
              hops.expired(
                  delivery,
                  expired.reason(),
                  expired.replica(),
                  atMicros,
                  Timelines.parse(delivery.version(), earlier));
            });
  }

  private void reap(Partition partition, String incarnation) {
    String channelsKey = Keys.channels(partition, incarnation);
    List<byte[]> channels =
        redis.call(partition, commands -> commands.srandmember(channelsKey, CHANNELS_PER_CALL));
    List<String> keys =
        new ArrayList<>(
            List.of(
                Keys.meta(partition),
                Keys.leases(partition),
                channelsKey,
                Keys.account(partition)));
    ScriptArguments arguments = new ScriptArguments().add(incarnation);
    for (byte[] channel : channels) {
      keys.add(Keys.presence(new Channel(new String(channel, UTF_8))));
      arguments.add(channel);
    }
    String outcome = new ScriptReply(redis.run(Script.REAP_INCARNATION, keys, arguments)).text(0);
    if (outcome.equals("lost") && partition.equals(Partition.ALL.getFirst())) {
      replicasLost.increment();
      LOG.atWarn().addKeyValue("incarnation", incarnation).log("replica_lost");
    }
  }

  /**
   * Deletes the totals of replicas whose last lease ended long ago, in the held partitions.
   * Otherwise the totals would grow without limit where each start of a replica has a new name. A
   * second sweep has no effect. One call at a time; blocks as a script does.
   *
   * @throws RedisUnavailableException if the primary of a partition does not reply; the totals of
   *     the other partitions are swept all the same
   */
  public void sweepTotals() {
    ScriptArguments arguments = new ScriptArguments().add(retention.replicas());
    Leases.COUNTERS.stream().skip(1).forEach(arguments::add);
    RedisUnavailableException failure = null;
    for (Partition partition : held.held()) {
      List<String> keys = List.of(Keys.leases(partition), Keys.account(partition));
      try {
        List<Object> reply = redis.run(Script.DELETE_REPLICA_TOTALS, keys, arguments);
        long deleted = new ScriptReply(reply).number(0);
        if (deleted > 0) {
          LOG.atDebug().addKeyValue("replicas", deleted).log("replica_totals_deleted");
        }
      } catch (RedisUnavailableException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
