package dev.lastmile.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.redis.HeldPartitions;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisTime;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Partition;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Deletes final operations whose retention time has passed, in the partitions that this replica
 * holds. A second sweep of the same channel has no effect. Each sweep deletes a bounded number; the
 * next sweep continues.
 */
@Component
public final class Retention {
  private static final Logger LOG = LoggerFactory.getLogger(Retention.class);
  private static final int CHANNELS_PER_SWEEP = 500;

  private final RedisConnection redis;
  private final HeldPartitions held;
  private final RetentionProperties properties;
  private final RedisTime time;

  Retention(
      RedisConnection redis, HeldPartitions held, RetentionProperties properties, RedisTime time) {
    this.redis = redis;
    this.held = held;
    this.properties = properties;
    this.time = time;
  }

  /** Sweeps the held partitions once. Blocks as a script does. */
  public void sweep() {
    long deleted = 0;
    for (Partition partition : held.held()) {
      try {
        deleted += sweep(partition);
      } catch (RedisUnavailableException e) {
        // The next sweep continues; other partitions do not wait for it.
        LOG.atDebug().setCause(e).log("retention_postponed");
      }
    }
    if (deleted > 0) {
      LOG.atDebug().addKeyValue("operations", deleted).log("retention_swept");
    }
  }

  private long sweep(Partition partition) {
    long deleted = 0;
    Range<Long> due = Range.create(0L, time.micros(partition) / 1_000);
    List<byte[]> channels =
        redis.call(
            partition,
            commands ->
                commands.zrangebyscore(
                    Keys.expiry(partition), due, Limit.create(0, CHANNELS_PER_SWEEP)));
    for (byte[] channel : channels) {
      deleted += trim(new Channel(new String(channel, UTF_8)));
    }
    return deleted;
  }

  private long trim(Channel channel) {
    List<String> keys = new ArrayList<>(Keys.state(channel));
    keys.add(Keys.expiry(channel.partition()));
    ScriptArguments arguments =
        new ScriptArguments()
            .add(channel.value())
            .add(properties.afterFinal())
            .add(properties.operationsPerChannel());
    return new ScriptReply(redis.run(Script.TRIM, keys, arguments)).number(0);
  }
}
