package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes care of what is overdue, and of what dead incarnations have left behind.
 *
 * <p>Every replica sweeps every partition; there is no leader, since the script takes each entry
 * once. A sweep does a bounded part; where there was more, that is counted and the next one goes
 * on.
 */
final class Sweeper {
  private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);
  private static final int CHANNELS_PER_CALL = 256;

  private final RedisLink link;
  private final LedgerProperties properties;
  private final String topic;
  private final CoordinationSwitch coordination;
  private final HopRecorder hops;
  private final Counter backlog;
  private final Counter replicasLost;

  /**
   * @param topic where owners are asked again
   */
  Sweeper(
      RedisLink link,
      LedgerProperties properties,
      String topic,
      CoordinationSwitch coordination,
      HopRecorder hops,
      MeterRegistry meters) {
    this.hops = hops;
    this.link = link;
    this.properties = properties;
    this.topic = topic;
    this.coordination = coordination;
    this.backlog = Metric.SWEEP_BACKLOG.counter(meters);
    this.replicasLost = Metric.REPLICAS_LOST.counter(meters);
  }

  /** Sweeps all partitions, begun in one pipeline. One thread; blocks as a script does. */
  void sweep() {
    if (!link.isUp()) {
      return;
    }
    List<CompletionStage<List<Object>>> answers = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      answers.add(begin(partition));
    }
    for (Partition partition : Partition.ALL) {
      try {
        finish(partition, answers.get(partition.index()));
      } catch (RedisAwayException e) {
        // The next sweep, or another replica's, goes on; nothing is taken twice.
        LOG.atDebug().setCause(e).log("sweep_failed");
      }
    }
  }

  private CompletionStage<List<Object>> begin(Partition partition) {
    try {
      return link.start(Script.SWEEP, keys(partition), arguments());
    } catch (RedisAwayException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void finish(Partition partition, CompletionStage<List<Object>> begun) {
    Answer answer = new Answer(link.await(begun));
    Answer expired = answer.list(2);
    for (int i = 0; i < expired.size(); i++) {
      tell(expired.text(i));
    }
    Answer dead = answer.list(1);
    for (int i = 0; i < dead.size(); i++) {
      collect(partition, dead.text(i));
    }
    if (answer.number(0) > 0) {
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

  private List<byte[]> arguments() {
    return List.of(
        Long.toString(properties.redeliverAfter().toMillis()).getBytes(UTF_8),
        Long.toString(properties.expireAfter().toMillis()).getBytes(UTF_8),
        Integer.toString(properties.sweepBatch()).getBytes(UTF_8),
        (coordination.broadcasts() ? topic : "").getBytes(UTF_8),
        Integer.toString(properties.examples()).getBytes(UTF_8));
  }

  private void tell(String line) {
    Expired expired = Expired.parse(line);
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
    Delivery delivery = Expired.delivery(line);
    long atMicros = ChronoUnit.MICROS.between(Instant.EPOCH, expired.at());
    CompletionStage<List<Object>> noted;
    try {
      noted =
          link.start(
              Script.NOTE,
              List.of(Keys.timeline(delivery.operationId())),
              List.of(
                  Long.toString(expired.version()).getBytes(UTF_8),
                  Long.toString(atMicros).getBytes(UTF_8),
                  expired.replica().getBytes(UTF_8),
                  expired.reason().getBytes(UTF_8)));
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("expiry_not_in_timeline");
      noted = CompletableFuture.completedStage(List.of());
    }
    var _ =
        noted
            .exceptionally(_ -> List.of())
            .thenAccept(earlier -> span(delivery, expired, atMicros, new Answer(earlier)));
  }

  private void span(Delivery delivery, Expired expired, long atMicros, Answer earlier) {
    hops.expired(
        Subject.of(delivery),
        expired.reason(),
        expired.replica(),
        TraceContext.of(delivery.traceparent(), null),
        delivery.publishedAtMicros(),
        atMicros,
        earlier.isEmpty() ? List.of() : Timelines.parse(delivery.version(), earlier.text(0)));
  }

  private void collect(Partition partition, String incarnation) {
    String channelsKey = Keys.channels(partition, incarnation);
    List<byte[]> channels =
        link.call(commands -> commands.srandmember(channelsKey, CHANNELS_PER_CALL));
    List<String> keys =
        new ArrayList<>(
            List.of(
                Keys.meta(partition),
                Keys.leases(partition),
                channelsKey,
                Keys.account(partition)));
    List<byte[]> arguments = new ArrayList<>(List.of(incarnation.getBytes(UTF_8)));
    for (byte[] channel : channels) {
      keys.add(Keys.presence(new Channel(new String(channel, UTF_8))));
      arguments.add(channel);
    }
    String outcome = new Answer(link.run(Script.COLLECT, keys, arguments)).text(0);
    if (outcome.equals("lost") && partition.equals(Partition.ALL.getFirst())) {
      replicasLost.increment();
      LOG.atWarn().addKeyValue("incarnation", incarnation).log("replica_lost");
    }
  }
}
