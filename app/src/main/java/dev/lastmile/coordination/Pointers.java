package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What never changes of each operation, and is asked for at each callback: remembered, for so many
 * of them. Any thread.
 */
final class Pointers {
  private final RedisLink link;
  private final Cache<OperationId, Pointer> cache;

  /**
   * @param most operations that are remembered
   */
  Pointers(RedisLink link, int most) {
    this.link = link;
    this.cache = Caffeine.newBuilder().maximumSize(most).build();
  }

  /** Waits for Redis if it has to ask; empty if there is no such operation. */
  Optional<Pointer> get(OperationId id) {
    Pointer cached = cache.getIfPresent(id);
    return cached != null
        ? Optional.of(cached)
        : read(id, link.call(commands -> commands.hgetall(Keys.pointer(id))));
  }

  /** The same without waiting: complete, or completes on the event loop of Redis. */
  CompletionStage<Optional<Pointer>> find(OperationId id) {
    Pointer cached = cache.getIfPresent(id);
    return cached != null
        ? CompletableFuture.completedFuture(Optional.of(cached))
        : link.failing(() -> link.startCall(commands -> commands.hgetall(Keys.pointer(id))))
            .thenApply(fields -> read(id, fields));
  }

  /** With the job, which is not remembered; empty once the external system has accepted that. */
  Optional<Pointer> withJob(OperationId id) {
    cache.invalidate(id);
    return get(id).filter(pointer -> !pointer.job().isEmpty());
  }

  private Optional<Pointer> read(OperationId id, Map<String, byte[]> fields) {
    if (!fields.containsKey("channel")) {
      return Optional.empty();
    }
    Pointer pointer =
        new Pointer(
            new Channel(text(fields, "channel")),
            text(fields, "kind"),
            new CorrelationId(text(fields, "correlationId")),
            new TraceContext(text(fields, "traceparent"), text(fields, "tracestate")),
            Long.parseLong(text(fields, "createdAt")),
            text(fields, "job"));
    cache.put(id, pointer.withoutJob());
    return Optional.of(pointer);
  }

  private static String text(Map<String, byte[]> fields, String name) {
    return new String(fields.getOrDefault(name, new byte[0]), UTF_8);
  }
}
