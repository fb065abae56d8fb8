package dev.lastmile.updates;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The outcomes are terms of the account: renaming one is a change of the metrics. */
class DeliveryOutcomeTest {
  @Test
  void settledOutcomesComeFromTheOwner_expiredOnesFromASweep() {
    assertThat(DeliveryOutcome.wireNames(outcome -> !outcome.isExpired()))
        .containsExactly("delivered", "late", "client_gone", "slow_consumer");
    assertThat(DeliveryOutcome.wireNames(DeliveryOutcome::isExpired))
        .containsExactly("not_received", "owner_gone");
  }

  @Test
  void onlyFlushedOutcomesReachedTheKernel() {
    assertThat(DeliveryOutcome.wireNames(DeliveryOutcome::isFlushed))
        .containsExactly("delivered", "late");
  }
}
