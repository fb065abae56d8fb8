package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes sure that every partition has an epoch. */
final class Epochs {
  private static final Logger LOG = LoggerFactory.getLogger(Epochs.class);
  private static final String EXAMPLES = "5";
  private static final SecureRandom RANDOM = new SecureRandom();

  private Epochs() {}

  /**
   * Checks the server of a connection, begins the epochs that do not exist, and logs it. Waits for
   * Redis.
   *
   * @param commands of the connection to check
   * @param submitted runs after commands were submitted that need a flush
   * @param redis waits for the replies
   * @throws RedisUnavailableException if Redis does not answer
   */
  static void check(
      RedisAsyncCommands<String, byte[]> commands, Runnable submitted, RedisConnection redis) {
    RedisFuture<String> info = commands.info();
    submitted.run();
    ServerInfo server = ServerInfo.parse(redis.await(info));
    server.check();
    List<RedisFuture<List<Object>>> pending = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      byte[] candidate = HexFormat.of().toHexDigits(RANDOM.nextLong()).getBytes(UTF_8);
      pending.add(
          commands.eval(
              Script.EPOCH.source().getBytes(UTF_8),
              ScriptOutputType.MULTI,
              Keys.epoch(partition).toArray(String[]::new),
              candidate,
              EXAMPLES.getBytes(UTF_8)));
    }
    submitted.run();
    int renewed = 0;
    for (Partition partition : Partition.ALL) {
      ScriptReply epochs = new ScriptReply(redis.await(pending.get(partition.index())));
      if (epochs.number(0) == 1) {
        renewed++;
        logOutstanding(partition, epochs);
      }
    }
    if (renewed > 0) {
      LOG.atInfo().addKeyValue("partitions", renewed).log("epoch_renewed");
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
