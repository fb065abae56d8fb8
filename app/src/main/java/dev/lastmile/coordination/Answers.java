package dev.lastmile.coordination;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits for answers of Redis, and says what it means if they do not come. Any thread. */
final class Answers {
  private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

  private final Duration timeout;

  Answers(Duration timeout) {
    this.timeout = timeout;
  }

  /**
   * Waits for an answer.
   *
   * @throws RedisAwayException if it does not come within the time-out, or is a failure
   */
  <T> T await(CompletionStage<T> answer) {
    try {
      return answer.toCompletableFuture().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw away(e);
    } catch (ExecutionException e) {
      throw away(e.getCause() == null ? e : e.getCause());
    } catch (CancellationException e) {
      throw away(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisAwayException("interrupted", e);
    }
  }

  /** What an answer that did not come means for whoever asked. */
  RedisAwayException away(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return switch (cause) {
      case RedisAwayException away -> away;
      case TimeoutException _, RedisCommandTimeoutException _ ->
          new RedisAwayException(
              "Redis did not answer within " + timeout.toMillis() + " ms", cause);
      case CancellationException _ -> new RedisAwayException("Redis connection broke", cause);
      case RedisCommandExecutionException _ -> {
        // Out of memory, read-only, loading, or a broken script: an operator has to look.
        LOG.atError().addKeyValue("error", cause.getMessage()).log("redis_refused");
        yield new RedisAwayException("Redis failed: " + cause.getMessage(), cause);
      }
      default -> new RedisAwayException("Redis failed: " + cause.getMessage(), cause);
    };
  }
}
