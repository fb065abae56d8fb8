package dev.lastmile.redis;

import io.lettuce.core.RedisCommandTimeoutException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Waits for replies of Redis, and maps failures to {@link RedisUnavailableException}. Any thread.
 */
final class ReplyAwaiter {
  private final Duration timeout;

  ReplyAwaiter(Duration timeout) {
    this.timeout = timeout;
  }

  /**
   * Waits for a reply.
   *
   * @throws RedisUnavailableException if there is none within the timeout, or it is a failure
   */
  <T> T await(CompletionStage<T> reply) {
    return await(reply, timeout);
  }

  /** As {@link #await(CompletionStage)}, with a shorter timeout. */
  <T> T await(CompletionStage<T> reply, Duration atMost) {
    try {
      long nanos = Math.min(timeout.toNanos(), atMost.toNanos());
      return reply.toCompletableFuture().get(nanos, TimeUnit.NANOSECONDS);
    } catch (TimeoutException | CancellationException e) {
      throw unavailable(e);
    } catch (ExecutionException e) {
      throw unavailable(e.getCause() == null ? e : e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisUnavailableException("interrupted", e);
    }
  }

  /** Maps the failure of a reply to the exception that the caller gets. */
  RedisUnavailableException unavailable(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return switch (cause) {
      // Each waiting thread gets an exception of its own, since its problem detail is changed.
      case RedisUnavailableException e -> new RedisUnavailableException(e.getMessage(), e);
      case TimeoutException _, RedisCommandTimeoutException _ ->
          new RedisUnavailableException(
              "Redis did not reply within " + timeout.toMillis() + " ms", cause);
      case CancellationException _ ->
          new RedisUnavailableException("Redis connection broke", cause);
      default -> new RedisUnavailableException("Redis failed: " + cause.getMessage(), cause);
    };
  }
}
