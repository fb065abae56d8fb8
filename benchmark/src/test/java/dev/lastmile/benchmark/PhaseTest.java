package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PhaseTest {
  private static final int STREAMS = 3;

  private int complete;

  private Phase broadcast() {
    return new Phase(10, 5, STREAMS, _ -> 0, () -> complete++);
  }

  @Test
  void anUpdateIsCompleteWhenEveryStreamHasIt() {
    Phase phase = broadcast();
    for (int stream = 0; stream < STREAMS; stream++) {
      assertThat(complete).isZero();
      phase.arrived(stream, 10, 0, 1_000_000 * (1 + stream));
    }
    assertThat(complete).isEqualTo(1);
    assertThat(phase.fanOut().getMaxValue()).isBetween(2_990L, 3_010L);
    assertThat(phase.received()).isEqualTo(STREAMS);
    assertThat(phase.strays()).isZero();
  }

  /** Otherwise what one stream got twice would stand for what another did not get. */
  @Test
  void whatAStreamGetsTwiceIsNoDelivery() {
    Phase phase = broadcast();
    phase.arrived(0, 10, 0, 1_000);
    phase.arrived(0, 10, 0, 1_000);
    phase.arrived(1, 10, 0, 1_000);
    assertThat(complete).isZero();
    assertThat(phase.received()).isEqualTo(2);
    assertThat(phase.strays()).isEqualTo(1);
  }

  @Test
  void whatReachesAnothersStreamIsNoDelivery() {
    Phase phase = new Phase(10, 5, 1, number -> number - 10, () -> complete++);
    phase.arrived(2, 11, 0, 1_000);
    assertThat(phase.strays()).isEqualTo(1);
    phase.arrived(1, 11, 0, 1_000);
    phase.arrived(1, 11, 0, 1_000);
    assertThat(phase.received()).isEqualTo(1);
    assertThat(phase.strays()).isEqualTo(2);
  }

  @Test
  void updatesOfEarlierPhasesDoNotCount() {
    Phase phase = broadcast();
    phase.arrived(0, 9, 0, 1_000);
    phase.arrived(0, 15, 0, 1_000);
    assertThat(phase.received()).isZero();
    assertThat(phase.strays()).isZero();
  }
}
