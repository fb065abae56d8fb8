package dev.lastmile.demo.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.redis.PartitionTags;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A browser whose operations are in a partition without a fault. It creates one after the other at
 * the replicas in turn, until {@link #end}.
 */
final class Bystander implements AutoCloseable {
  private static final int MOST_BROWSERS = 500;
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final List<LastmileProcess> replicas;
  private final Browser browser;
  private final Thread thread;

  /** The number of responses by status; written by the thread. */
  private final Map<Integer, Integer> responses = new TreeMap<>();

  private long slowestNanos;
  private volatile boolean ended;

  /** Starts to create operations in the partition with this tag. */
  Bystander(Cluster cluster, String tag) {
    replicas = cluster.replicas();
    browser = browserOf(replicas.getFirst(), tag);
    thread = Thread.ofVirtual().start(this::create);
  }

  private static Browser browserOf(LastmileProcess replica, String tag) {
    for (int i = 0; i < MOST_BROWSERS; i++) {
      Browser browser = Browser.at(replica);
      if (PartitionTags.ofOperation(browser.create(replica)).equals(tag)) {
        return browser;
      }
    }
    throw new IllegalStateException("no browser for " + tag);
  }

  private void create() {
    for (int i = 0; !ended; i++) {
      long begun = System.nanoTime();
      int status = browser.tryCreate(replicas.get(i % replicas.size())).statusCode();
      slowestNanos = Math.max(slowestNanos, System.nanoTime() - begun);
      responses.merge(status, 1, Integer::sum);
      Scenario.during(PAUSE);
    }
  }

  /** Creates no more; waits for the last response. */
  void end() {
    ended = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Fails unless every operation was created within this time. After {@link #end}. */
  void assertUndisturbed(Duration limit) {
    System.out.printf(
        "beside it: responses %s, the slowest after %d ms%n", responses, slowestNanos / 1_000_000);
    assertThat(responses).as("responses by status").containsOnlyKeys(201);
    assertThat(Duration.ofNanos(slowestNanos)).as("the slowest response").isLessThan(limit);
  }

  @Override
  public void close() {
    end();
  }
}
