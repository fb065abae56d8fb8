package dev.lastmile.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Asks several servers the same question at the same time, each on a virtual thread, and takes the
 * answers of a majority. A server that is down, or whose name cannot be resolved, delays nothing
 * while a majority answers.
 *
 * @param <S> how a server is addressed
 * @param <A> an answer
 */
final class MajorityQuestion<S, A> {
  private final Function<S, A> question;
  private final BiFunction<S, Throwable, Throwable> naming;

  /**
   * @param question asks one server; blocks
   * @param naming names the server in the failure of a question
   */
  MajorityQuestion(Function<S, A> question, BiFunction<S, Throwable, Throwable> naming) {
    this.question = question;
    this.naming = naming;
  }

  /**
   * The answers of a majority; of fewer servers, if more do not answer. Blocks for at most the
   * limit.
   *
   * @throws RedisUnavailableException if no server answers within the limit
   */
  List<A> ask(Collection<S> servers, Duration limit) {
    BlockingQueue<CompletableFuture<A>> ended = new LinkedBlockingQueue<>();
    for (S server : servers) {
      CompletableFuture<A> answer =
          CompletableFuture.supplyAsync(() -> question.apply(server), Thread::startVirtualThread)
              .orTimeout(limit.toNanos(), TimeUnit.NANOSECONDS)
              .exceptionallyCompose(
                  failure -> CompletableFuture.failedFuture(naming.apply(server, failure)));
      var _ = answer.whenComplete((_, _) -> ended.add(answer));
    }
    List<A> answers = new ArrayList<>();
    RedisUnavailableException failure = null;
    for (int i = 0; i < servers.size() && answers.size() <= servers.size() / 2; i++) {
      try {
        answers.add(take(ended).join());
      } catch (CompletionException e) {
        failure = clearer(failure, new RedisUnavailableException("no primary is known", e));
      }
    }
    if (answers.isEmpty()) {
      throw failure != null
          ? failure
          : new RedisUnavailableException(RedisErrorCause.NO_PRIMARY, "there is no server to ask");
    }
    return answers;
  }

  /** What a server answers says more than that another one is down. */
  private static RedisUnavailableException clearer(
      @Nullable RedisUnavailableException before, RedisUnavailableException next) {
    return before == null || RedisErrorCause.of(next).isAnswer() ? next : before;
  }

  private static <A> CompletableFuture<A> take(BlockingQueue<CompletableFuture<A>> ended) {
    try {
      return ended.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisUnavailableException("interrupted", e);
    }
  }
}
