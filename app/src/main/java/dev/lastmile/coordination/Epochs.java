package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sees to it that every partition's epoch belongs to the process behind a connection. */
final class Epochs {
  private static final Logger LOG = LoggerFactory.getLogger(Epochs.class);
  private static final Pattern RUN_ID = Pattern.compile("^run_id:(\\w+)", Pattern.MULTILINE);
  private static final String EXAMPLES = "5";
  private static final SecureRandom RANDOM = new SecureRandom();

  private Epochs() {}

  /**
   * Renews the epochs that belong to another process, or are gone, and tells of it. Waits for
   * Redis.
   *
   * @param commands of a connection of this link
   * @param given runs when commands have been given that wait to leave
   * @throws RedisAwayException if Redis does not answer
   */
  static void check(RedisAsyncCommands<String, byte[]> commands, Runnable given, RedisLink link) {
    RedisFuture<String> info = commands.info("server");
    given.run();
    Matcher runId = RUN_ID.matcher(link.await(info));
    if (!runId.find()) {
      throw new RedisAwayException("Redis does not tell its run_id");
    }
    byte[] run = runId.group(1).getBytes(UTF_8);
    List<RedisFuture<List<Object>>> pending = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      byte[] bits = new byte[8];
      RANDOM.nextBytes(bits);
      byte[] candidate = HexFormat.of().formatHex(bits).getBytes(UTF_8);
      pending.add(
          commands.eval(
              Script.EPOCH.source().getBytes(UTF_8),
              ScriptOutputType.MULTI,
              Keys.epoch(partition).toArray(String[]::new),
              run,
              candidate,
              EXAMPLES.getBytes(UTF_8)));
    }
    given.run();
    int renewed = 0;
    for (Partition partition : Partition.ALL) {
      Answer epochs = new Answer(link.await(pending.get(partition.index())));
      if (!epochs.text(0).equals(epochs.text(1))) {
        renewed++;
        tellOutstanding(partition, epochs);
      }
    }
    if (renewed > 0) {
      LOG.atInfo().addKeyValue("partitions", renewed).log("epoch_renewed");
    }
  }

  /** What the old epoch still expected: nobody will settle it, and nobody counts it. */
  private static void tellOutstanding(Partition partition, Answer renewed) {
    if (renewed.number(2) == 0) {
      return;
    }
    List<String> examples = new ArrayList<>();
    for (int i = 3; i < renewed.size(); i += 2) {
      examples.add(renewed.text(i) + " " + renewed.text(i + 1));
    }
    LOG.atWarn()
        .addKeyValue("partition", partition.index())
        .addKeyValue("outstanding", renewed.number(2))
        .addKeyValue("examples", examples)
        .log("epoch_renewed_with_outstanding");
  }
}
