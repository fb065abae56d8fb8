package dev.lastmile.updates;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DeltaTest {
  private static final String EPOCH = "0123456789abcdef";

  /** Read in term c. The channel left term a at 5 and term b at 8; below 3 it is deleted. */
  private static final Delta DELTA =
      new Delta(EPOCH, "c", Map.of("a", 5L, "b", 8L, "c", 9L), 9, 3, 0, List.of(), true);

  private static boolean continues(String term, long sequence) {
    return DELTA.continues(new Cursor(EPOCH, term, sequence));
  }

  @Test
  void whoHasSeenNothingThatWasLost_continues() {
    assertThat(continues("a", 5)).isTrue();
    assertThat(continues("b", 8)).isTrue();
    assertThat(continues("c", 9)).isTrue();
  }

  @Test
  void whoHasSeenAnUpdateAfterItsTermEnded_isReplaced() {
    assertThat(continues("a", 6)).isFalse();
    assertThat(continues("b", 9)).isFalse();
    assertThat(continues("c", 10)).isFalse();
  }

  @Test
  void anUnknownTermOrAnotherEpoch_isReplaced() {
    assertThat(continues("d", 5)).isFalse();
    assertThat(DELTA.continues(new Cursor("f".repeat(16), "c", 9))).isFalse();
    assertThat(DELTA.continues(null)).isFalse();
  }

  @Test
  void belowTheFloor_aClientIsReplaced_andAPageContinues() {
    assertThat(continues("a", 2)).isFalse();
    assertThat(DELTA.continuesPage(new Cursor(EPOCH, "a", 2))).isTrue();
    assertThat(DELTA.continuesPage(new Cursor(EPOCH, "a", 6))).isFalse();
  }
}
