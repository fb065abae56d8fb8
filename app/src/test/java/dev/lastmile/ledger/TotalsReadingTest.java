package dev.lastmile.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A reading for all replicas arrives as it was made, and never makes a counter decrease. */
class TotalsReadingTest {
  private static final TotalsReading READING =
      new TotalsReading(Map.of("a expected", 7L, "a delivered", 5L), 100, 2, 30, "7,,", 1_000);

  private static TotalsReading reading(long expected, long begun, long millis) {
    return new TotalsReading(
        Map.of("a expected", expected, "a delivered", 5L), begun, 2, 30, "7,,", millis);
  }

  @Test
  void aReadingIsDecodedAsItWasEncoded() {
    assertThat(TotalsReading.decode(READING.encode())).isEqualTo(READING);
    assertThat(TotalsReading.decode(TotalsReading.NONE.encode())).isEqualTo(TotalsReading.NONE);
  }

  @Test
  void otherBytesAreRejected() {
    for (String text : new String[] {"", "1 2 3", "a b c d"}) {
      assertThatThrownBy(() -> TotalsReading.decode(text.getBytes(StandardCharsets.UTF_8)))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aLaterReadingFollows() {
    assertThat(reading(8, 100, 1_001).follows(READING)).isTrue();
    assertThat(READING.follows(TotalsReading.NONE)).isTrue();
  }

  @Test
  void theSameAnEarlierOrASmallerOneDoesNotFollow() {
    assertThat(READING.follows(READING)).isFalse();
    assertThat(reading(8, 100, 999).follows(READING)).isFalse();
    assertThat(reading(6, 100, 1_001).follows(READING)).isFalse();
  }

  @Test
  void aSmallerOneFollowsInANewEpoch() {
    assertThat(reading(0, 101, 900).follows(READING)).isTrue();
  }

  @Test
  void aReadingOfAnEarlierEpochThatComesLateDoesNotFollow() {
    assertThat(reading(9, 99, 2_000).follows(READING)).isFalse();
  }

  @Test
  void anOwnerMayEnd() {
    assertThat(new TotalsReading(Map.of(), 100, 0, 0, "", 1_001).follows(READING)).isTrue();
  }
}
