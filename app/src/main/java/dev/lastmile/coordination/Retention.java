package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Partition;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what is over its time: final operations, and the totals of replicas that are gone. Every
 * replica does it; the script makes doing it twice harmless. A sweep does a bounded part and goes
 * on at the next one.
 */
final class Retention {
  private static final Logger LOG = LoggerFactory.getLogger(Retention.class);
  private static final int CHANNELS_PER_SWEEP = 500;

  private final RedisLink link;
  private final RetentionProperties properties;
  private final LongSupplier redisMillis;

  Retention(RedisLink link, RetentionProperties properties, LongSupplier redisMillis) {
    this.link = link;
    this.properties = properties;
    this.redisMillis = redisMillis;
  }

  /** Sweeps all partitions once. */
  void sweep() {
    if (!link.isUp()) {
      return;
    }
    try {
      long deleted = 0;
      for (Partition partition : Partition.ALL) {
        Range<Long> due = Range.create(0L, redisMillis.getAsLong());
        List<byte[]> channels =
            link.call(commands ->
                commands.zrangebyscore(
                    Keys.expiry(partition), due, Limit.create(0, CHANNELS_PER_SWEEP)));
        for (byte[] channel : channels) {
          deleted += trim(new Channel(new String(channel, UTF_8)));
        }
        retire(partition);
      }
      if (deleted > 0) {
        LOG.atDebug().addKeyValue("operations", deleted).log("retention_swept");
      }
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("retention_sweep_failed");
    }
  }

  private void retire(Partition partition) {
    List<byte[]> arguments = new ArrayList<>();
    arguments.add(Long.toString(properties.replicas().toMillis()).getBytes(UTF_8));
    Leases.COUNTERS.stream().skip(1).forEach(counter -> arguments.add(counter.getBytes(UTF_8)));
    long forgotten =
        new Answer(
                link.run(
                    Script.RETIRE,
                    List.of(Keys.leases(partition), Keys.account(partition)),
                    arguments))
            .number(0);
    if (forgotten > 0) {
      LOG.atDebug().addKeyValue("replicas", forgotten).log("replicas_forgotten");
    }
  }

  private long trim(Channel channel) {
    List<String> keys = new ArrayList<>(Keys.state(channel));
    keys.add(Keys.expiry(channel.partition()));
    List<byte[]> arguments =
        List.of(
            channel.value().getBytes(UTF_8),
            Long.toString(properties.afterFinal().toMillis()).getBytes(UTF_8),
            Integer.toString(properties.operationsPerChannel()).getBytes(UTF_8));
    return new Answer(link.run(Script.TRIM, keys, arguments)).number(0);
  }
}
