package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class QuickMeasureTest {
  private static final Map<Integer, Double> BEFORE = Map.of(1, 100.0, 2, 200.0, 3, 100.0);

  @Test
  void aRatioUpToTheLimitPasses() {
    assertThat(QuickMeasure.CPU.failure(BEFORE, BEFORE)).isEmpty();
    assertThat(QuickMeasure.CPU.failure(BEFORE, Map.of(1, 150.0, 2, 300.0, 3, 150.0))).isEmpty();
  }

  @Test
  void aRatioAboveTheLimitFails() {
    assertThat(QuickMeasure.CPU.failure(BEFORE, Map.of(1, 210.0, 2, 320.0, 3, 210.0)))
        .isEqualTo(
            "CPU of A, B and Redis: 2.10 times as much (limit 1.50), and more in every round");
    assertThat(QuickMeasure.HEAP.failure(Map.of(1, 2.0, 2, 2.1), Map.of(1, 2.8, 2, 2.94)))
        .isEqualTo("live heap of B: 1.40 times as much (limit 1.30), and more in every round");
  }

  @Test
  void rangesThatOverlapPass() {
    assertThat(QuickMeasure.CPU.failure(BEFORE, Map.of(1, 160.0, 2, 320.0, 3, 160.0))).isEmpty();
  }

  /** A pause of the machine in one round is not a change of the service. */
  @Test
  void oneRoundAboveTheLimitPasses() {
    assertThat(QuickMeasure.STORM.failure(BEFORE, Map.of(1, 900.0, 2, 200.0, 3, 100.0))).isEmpty();
  }

  @Test
  void valuesThatAreMissingFail() {
    assertThat(QuickMeasure.HEAP.failure(BEFORE, Map.of()))
        .isEqualTo("live heap of B: not measured");
    assertThat(QuickMeasure.HEAP.failure(Map.of(), BEFORE))
        .isEqualTo("live heap of B: not measured");
  }
}
