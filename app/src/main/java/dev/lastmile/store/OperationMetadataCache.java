package dev.lastmile.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Caches the immutable part of operations, which each callback needs. The size is {@code
 * lastmile.redis.pointer-cache}. Any thread.
 */
final class OperationMetadataCache {
  private final RedisConnection redis;
  private final Cache<OperationId, OperationMetadata> cache;

  /**
   * @param maxSize maximum number of cached operations
   */
  OperationMetadataCache(RedisConnection redis, int maxSize) {
    this.redis = redis;
    this.cache = Caffeine.newBuilder().maximumSize(maxSize).build();
  }

  /** The cached or stored value; empty if the operation does not exist. Blocks on a cache miss. */
  Optional<OperationMetadata> get(OperationId id) {
    OperationMetadata cached = cache.getIfPresent(id);
    return cached != null
        ? Optional.of(cached)
        : read(
            id,
            redis.call(id.partition(), commands -> commands.hgetall(Keys.operationMetadata(id))));
  }

  /** As {@link #get}, without blocking. On a cache miss it completes on the event loop of Redis. */
  CompletionStage<Optional<OperationMetadata>> find(OperationId id) {
    OperationMetadata cached = cache.getIfPresent(id);
    return cached != null
        ? CompletableFuture.completedFuture(Optional.of(cached))
        : redis
            .completing(() ->
                redis.startCall(
                    id.partition(), commands -> commands.hgetall(Keys.operationMetadata(id))))
            .thenApply(fields -> read(id, fields));
  }

  /**
   * The stored value with its job, which is not cached; empty after the external system has
   * accepted the job. Blocks.
   */
  Optional<OperationMetadata> withJob(OperationId id) {
    cache.invalidate(id);
    return get(id).filter(metadata -> !metadata.job().isEmpty());
  }

  private Optional<OperationMetadata> read(OperationId id, Map<String, byte[]> fields) {
    if (!fields.containsKey("channel")) {
      return Optional.empty();
    }
    OperationMetadata metadata =
        new OperationMetadata(
            new Channel(text(fields, "channel")),
            text(fields, "kind"),
            new CorrelationId(text(fields, "correlationId")),
            new TraceContext(text(fields, "traceparent"), text(fields, "tracestate")),
            Long.parseLong(text(fields, "createdAt")),
            text(fields, "job"));
    cache.put(id, metadata.withoutJob());
    return Optional.of(metadata);
  }

  private static String text(Map<String, byte[]> fields, String name) {
    return new String(fields.getOrDefault(name, new byte[0]), UTF_8);
  }
}
