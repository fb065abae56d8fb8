package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisFuture;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.async.RedisAsyncCommands;
import org.jspecify.annotations.Nullable;

/**
 * The layout of the stored data: the partitions, their hash tags and the names of the keys.
 *
 * <p>Replicas with different layouts would not find each other's data, and nothing would tell. So
 * the first replica stores its layout, and a replica with another one does not connect.
 */
final class Layout {
  static final String KEY = "lastmile:layout";

  /** Changes with the layout. */
  private static final String OURS = "2";

  /** A key of the first layout, which was not stored. */
  private static final String FIRST_LAYOUT = "{p0}:meta";

  private final RedisFuture<byte[]> stored;
  private final RedisFuture<byte[]> firstEpoch;

  private Layout(RedisFuture<byte[]> stored, RedisFuture<byte[]> firstEpoch) {
    this.stored = stored;
    this.firstEpoch = firstEpoch;
  }

  /** Reads the layout, and stores ours if there is none. Does not wait, and does not flush. */
  static Layout read(RedisAsyncCommands<String, byte[]> commands) {
    return new Layout(stored(commands), commands.hget(FIRST_LAYOUT, "epoch"));
  }

  /**
   * Reads the layout, or stores ours, at the primary that has its key.
   *
   * @return what was stored before; null if nothing was
   */
  static RedisFuture<byte[]> stored(RedisAsyncCommands<String, byte[]> commands) {
    return commands.setGet(KEY, OURS.getBytes(UTF_8), SetArgs.Builder.nx());
  }

  /**
   * Waits for what was read.
   *
   * @throws RedisUnavailableException if the layout is another one, or Redis does not answer
   */
  void check(PrimaryConnection redis) {
    byte[] layout = redis.await(stored);
    if (redis.await(firstEpoch) != null) {
      throw another("1");
    }
    check(layout);
  }

  /**
   * @param stored the layout that was stored before; null if none was
   * @throws RedisUnavailableException if it is another one
   */
  static void check(byte @Nullable [] stored) {
    String layout = stored == null ? OURS : new String(stored, UTF_8);
    if (!layout.equals(OURS)) {
      throw another(layout);
    }
  }

  private static RedisUnavailableException another(String layout) {
    return new RedisUnavailableException(
        RedisErrorCause.OTHER_LAYOUT,
        "Redis has data of layout " + layout + ", and this version uses " + OURS);
  }
}
