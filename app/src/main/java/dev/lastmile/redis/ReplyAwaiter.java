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
    Duration limit = atMost.compareTo(timeout) < 0 ? atMost : timeout;
    try {
      return reply.toCompletableFuture().get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw noReply(limit, e);
    } catch (CancellationException e) {
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
      case TimeoutException _, RedisCommandTimeoutException _ -> noReply(timeout, cause);
      case CancellationException _ ->
          new RedisUnavailableException("Redis connection broke", cause);
      default -> new RedisUnavailableException("Redis failed: " + cause.getMessage(), cause);
    };
  }

  private static RedisUnavailableException noReply(Duration limit, Throwable cause) {
    return new RedisUnavailableException(
        "Redis did not reply within " + Math.max(0, limit.toMillis()) + " ms", cause);
  }
}
