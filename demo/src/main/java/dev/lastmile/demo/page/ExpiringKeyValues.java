package dev.lastmile.demo.page;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.redis.RedisConnection;
import dev.lastmile.updates.Partition;
import io.lettuce.core.KeyValue;
import io.lettuce.core.SetArgs;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Short texts that replicas share in Redis under a name. Each has a time to live. No delivery
 * depends on one.
 *
 * <p>Any thread. Each method blocks for at most {@code lastmile.redis.timeout} and throws {@link
 * dev.lastmile.redis.RedisUnavailableException}.
 */
final class ExpiringKeyValues {
  /** All keys are in the first partition, so one command reads several. */
  private static final String PREFIX = Partition.ALL.getFirst().tag() + ":notice:";

  private final RedisConnection redis;

  ExpiringKeyValues(RedisConnection redis) {
    this.redis = redis;
  }

  /** Stores a text under a name, in place of an older one. */
  void put(String name, String text, Duration timeToLive) {
    redis.call(commands ->
        commands.set(PREFIX + name, text.getBytes(UTF_8), SetArgs.Builder.px(timeToLive)));
  }

  /** Deletes the texts of these names. */
  void remove(List<String> names) {
    redis.call(commands -> commands.del(keys(names)));
  }

  /** Reads the texts of these names in one command; a name without a text is left out. */
  Map<String, String> read(List<String> names) {
    List<KeyValue<String, byte[]>> values = redis.call(commands -> commands.mget(keys(names)));
    Map<String, String> found = new HashMap<>();
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i).hasValue()) {
        found.put(names.get(i), new String(values.get(i).getValue(), UTF_8));
      }
    }
    return found;
  }

  private static String[] keys(List<String> names) {
    return names.stream().map(name -> PREFIX + name).toArray(String[]::new);
  }
}
