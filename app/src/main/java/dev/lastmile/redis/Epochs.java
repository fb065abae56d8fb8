package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes sure that the layout is ours, and that every partition has an epoch. */
final class Epochs {
  private static final Logger LOG = LoggerFactory.getLogger(Epochs.class);
  private static final String EXAMPLES = "5";
  private static final SecureRandom RANDOM = new SecureRandom();

  private Epochs() {}

  /**
   * Checks the server of a connection and its layout, begins the epochs that do not exist, and logs
   * it. Waits for Redis.
   *
   * @param commands of the connection to check
   * @param submitted runs after commands were submitted that need a flush
   * @param redis whose partitions are checked; waits for the replies
   * @throws RedisUnavailableException if Redis does not answer, or the layout is another one
   */
  static void check(
      RedisAsyncCommands<String, byte[]> commands, Runnable submitted, PrimaryConnection redis) {
    RedisFuture<String> info = commands.info();
    submitted.run();
    ServerInfo server = ServerInfo.parse(redis.await(info));
    server.check();
    if (!redis.isOfCluster()) {
      Layout layout = Layout.read(commands);
      submitted.run();
      layout.check(redis);
    }
    Map<Partition, RedisFuture<List<Object>>> pending = new LinkedHashMap<>();
    // One for all partitions: totals that begin with it can be summed.
    byte[] candidate = HexFormat.of().toHexDigits(RANDOM.nextLong()).getBytes(UTF_8);
    for (Partition partition : redis.partitions()) {
      pending.put(
          partition,
          commands.eval(
              Script.EPOCH.source().getBytes(UTF_8),
              ScriptOutputType.MULTI,
              Keys.declared(Keys.epoch(partition)),
              candidate,
              EXAMPLES.getBytes(UTF_8)));
    }
    submitted.run();
    int renewed = 0;
    for (Map.Entry<Partition, RedisFuture<List<Object>>> each : pending.entrySet()) {
      ScriptReply epochs = ifServed(redis, each.getValue());
      if (!epochs.isEmpty() && epochs.number(0) == 1) {
        renewed++;
        logOutstanding(each.getKey(), epochs);
      }
    }
    if (renewed > 0) {
      LOG.atInfo().addKeyValue("partitions", renewed).log("epoch_renewed");
    }
  }

  /**
   * The reply; empty while the server does not serve the slot of the partition, for example while
   * it moves. Scripts of the partition are refused then, and one that finds no epoch later has it
   * begun.
   */
  private static ScriptReply ifServed(PrimaryConnection redis, RedisFuture<List<Object>> reply) {
    try {
      return new ScriptReply(redis.await(reply));
    } catch (RedisUnavailableException e) {
      if (e.isSlotNotServed()) {
        return new ScriptReply(List.of());
      }
      throw e;
    }
  }

  /** Logs the deliveries of the old epoch: they are neither settled nor counted from now on. */
  private static void logOutstanding(Partition partition, ScriptReply renewed) {
    if (renewed.number(1) == 0) {
      return;
    }
    List<String> examples = new ArrayList<>();
    for (int i = 2; i < renewed.size(); i += 2) {
      examples.add(renewed.text(i) + " " + renewed.text(i + 1));
    }
    LOG.atWarn()
        .addKeyValue("partition", partition.index())
        .addKeyValue("outstanding", renewed.number(1))
        .addKeyValue("examples", examples)
        .log("epoch_renewed_with_outstanding");
  }
}
