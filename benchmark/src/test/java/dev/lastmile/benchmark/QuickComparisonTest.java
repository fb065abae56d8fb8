package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.benchmark.QuickCandidate.Round;
import org.junit.jupiter.api.Test;

class QuickComparisonTest {
  @Test
  void aRoundWithoutRefusalsAndLossesPasses() {
    assertThat(QuickComparison.wrong(1, "after", new Round(400, 3, 500, 0, 0))).isEmpty();
  }

  @Test
  void eachRefusedStreamAndLostDeliveryIsTold() {
    assertThat(QuickComparison.wrong(2, "after", new Round(400, 3, 500, 1, 7)))
        .containsExactly(
            "round 2, after: 1 streams refused",
            "round 2, after: 7 updates refused, or deliveries lost or made twice");
  }
}
