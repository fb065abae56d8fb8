package dev.lastmile.demo.page;

import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.updates.Partition;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.data.redis.core.StringRedisTemplate;

/**
 * Short texts that replicas share in Redis under a name. Each has a time to live. No delivery
 * depends on one, so the template of Spring Data and its connection serve.
 *
 * <p>Any thread. Each method blocks for at most {@code spring.data.redis.timeout} and throws {@link
 * RedisUnavailableException}.
 */
final class ExpiringKeyValues {
  /** All keys are in the first partition, so one command reads several. */
  private static final String PREFIX = Partition.ALL.getFirst().tag() + ":notice:";

  private final StringRedisTemplate redis;

  ExpiringKeyValues(StringRedisTemplate redis) {
    this.redis = redis;
  }

  /** Stores a text under a name, in place of an older one. */
  void put(String name, String text, Duration timeToLive) {
    available(() -> {
      redis.opsForValue().set(PREFIX + name, text, timeToLive);
      return null;
    });
  }

  /** Deletes the texts of these names. */
  void remove(List<String> names) {
    available(() -> redis.delete(keys(names)));
  }

  /** Reads the texts of these names in one command; a name without a text is left out. */
  Map<String, String> read(List<String> names) {
    List<String> values = available(() -> redis.opsForValue().multiGet(keys(names)));
    Map<String, String> found = new HashMap<>();
    for (int i = 0; values != null && i < values.size(); i++) {
      if (values.get(i) != null) {
        found.put(names.get(i), values.get(i));
      }
    }
    return found;
  }

  private static <T> @Nullable T available(Supplier<@Nullable T> command) {
    try {
      return command.get();
    } catch (DataAccessException e) {
      throw new RedisUnavailableException("Redis failed", e);
    }
  }

  private static List<String> keys(List<String> names) {
    return names.stream().map(name -> PREFIX + name).toList();
  }
}
