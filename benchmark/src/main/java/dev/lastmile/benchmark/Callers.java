package dev.lastmile.benchmark;

import dev.lastmile.benchmark.Caller.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import java.util.function.ObjIntConsumer;
import java.util.function.Supplier;

/** A few threads for requests that may be sent again and may wait: preparation, acks, lists. */
final class Callers implements AutoCloseable {
  private static final int TRIES = 40;
  private static final long AGAIN_MILLIS = 250;

  private final Queue<Caller> opened = new ConcurrentLinkedQueue<>();
  private final ThreadLocal<Caller> callers =
      ThreadLocal.withInitial(() -> {
        Caller caller = new Caller();
        opened.add(caller);
        return caller;
      });
  private final ScheduledThreadPoolExecutor threads;

  Callers(int threads) {
    this.threads =
        new ScheduledThreadPoolExecutor(
            threads, Thread.ofPlatform().name("caller-", 0).daemon().factory());
    this.threads.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /**
   * Sends a request until the response is neither 429 nor 503, with pauses, at most {@value #TRIES}
   * times.
   *
   * @param request called for each attempt, so that each may go to another replica
   */
  CompletableFuture<Answer> send(Supplier<Request> request) {
    CompletableFuture<Answer> result = new CompletableFuture<>();
    attempt(request, 1, 0, result);
    return result;
  }

  private void attempt(
      Supplier<Request> request, int number, long delayMillis, CompletableFuture<Answer> result) {
    threads.schedule(
        () -> {
          Answer answer;
          try {
            answer = callers.get().send(request.get());
          } catch (IOException e) {
            answer = new Answer(503, e.toString());
          } catch (RuntimeException e) {
            result.completeExceptionally(e);
            return;
          }
          boolean again = answer.status() == 429 || answer.status() == 503;
          if (again && number < TRIES) {
            attempt(request, number + 1, AGAIN_MILLIS, result);
          } else {
            result.complete(answer);
          }
        },
        delayMillis,
        TimeUnit.MILLISECONDS);
  }

  /**
   * Sends so many requests, each until it is taken.
   *
   * @throws IllegalStateException if one is refused, or all of them take too long
   */
  void sendAll(
      int count, IntFunction<Request> request, ObjIntConsumer<Answer> taken, Duration atMost) {
    List<CompletableFuture<?>> all = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int number = i;
      all.add(
          send(() -> request.apply(number))
              .thenAccept(answer -> {
                if (!answer.isGood()) {
                  throw new IllegalStateException(answer.status() + " " + answer.body());
                }
                taken.accept(answer, number);
              }));
    }
    try {
      CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
          .get(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(count + " requests", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    opened.forEach(Caller::close);
  }
}
