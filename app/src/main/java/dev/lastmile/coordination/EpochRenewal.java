package dev.lastmile.coordination;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Renews the epochs once for all who find at the same time that there are none, because somebody
 * has emptied a running Redis.
 */
final class EpochRenewal {
  private final RedisLink link;

  /** What is under way; null if nothing is. */
  private final AtomicReference<@Nullable CompletableFuture<Void>> running =
      new AtomicReference<>();

  EpochRenewal(RedisLink link) {
    this.link = link;
  }

  /**
   * Completes when they are renewed, or with what went wrong: on a thread of its own, since
   * renewing waits. Any thread; does not wait.
   */
  CompletionStage<Void> renewed() {
    CompletableFuture<Void> mine = new CompletableFuture<>();
    CompletableFuture<Void> theirs = running.compareAndExchange(null, mine);
    if (theirs != null) {
      return theirs;
    }
    Thread.startVirtualThread(() -> {
      try {
        link.renewEpochs();
        running.set(null);
        mine.complete(null);
      } catch (Throwable e) {
        // Whatever it is: who waits has to hear of it, and the next one has to try again.
        running.set(null);
        mine.completeExceptionally(e);
      }
    });
    return mine;
  }
}
