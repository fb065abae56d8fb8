package dev.lastmile.redis;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Renews the epochs once for all callers that find none at the same time. This happens when a
 * running Redis was emptied.
 */
final class EpochRenewal {
  private final PrimaryConnection redis;

  /** The renewal that runs, or the last one. */
  @GuardedBy("this")
  private CompletableFuture<Void> newest = CompletableFuture.completedFuture(null);

  EpochRenewal(PrimaryConnection redis) {
    this.redis = redis;
  }

  /**
   * Renews the epochs, or joins the renewal that runs. Any thread; does not wait.
   *
   * @return completes after the renewal, or with its failure, on a thread of its own that may block
   */
  synchronized CompletionStage<Void> renew() {
    if (newest.isDone()) {
      newest = CompletableFuture.runAsync(redis::renewEpochs, Thread::startVirtualThread);
    }
    return newest;
  }
}
