package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

class DispatchWorkerTest {
  private final StreamRegistry registry =
      new StreamRegistry(
          new FakePresence(),
          TestUpdates.properties(16, 1_000, 8),
          () -> 0,
          new SimpleMeterRegistry());

  /** A worker that is not started, so that its queue stays as it is. */
  private DispatchWorker worker(int capacity, long maxBytes) {
    return new DispatchWorker(0, capacity, maxBytes, null, registry);
  }

  @Test
  void queueIsBoundedInNumber() {
    DispatchWorker worker = worker(2, 1_000);
    assertThat(worker.offer("a", new byte[1])).isTrue();
    assertThat(worker.offer("a", new byte[1])).isTrue();
    assertThat(worker.offer("a", new byte[1])).isFalse();
  }

  @Test
  void queueIsBoundedInBytes() {
    DispatchWorker worker = worker(100, 1_000);
    assertThat(worker.offer("a", new byte[600])).isTrue();
    assertThat(worker.offer("a", new byte[600])).as("one above the bound").isTrue();
    assertThat(worker.offer("a", new byte[1])).isFalse();
  }
}
