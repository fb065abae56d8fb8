package dev.lastmile.redis;

import io.lettuce.core.RedisURI;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A Sentinel did not name the primary, or could not be subscribed. */
final class SentinelFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String address;

  SentinelFailure(RedisURI sentinel, Throwable cause) {
    super("the Sentinel " + address(sentinel) + " failed", cause);
    this.address = address(sentinel);
  }

  static String address(RedisURI sentinel) {
    return sentinel.getHost() + ":" + sentinel.getPort();
  }

  /** The address of the Sentinel that is among the causes of a failure; null if there is none. */
  static @Nullable String addressIn(Throwable failure) {
    Set<Throwable> seen = new HashSet<>();
    for (Throwable at = failure; at != null && seen.add(at); at = at.getCause()) {
      if (at instanceof SentinelFailure sentinel) {
        return sentinel.address;
      }
    }
    return null;
  }
}
