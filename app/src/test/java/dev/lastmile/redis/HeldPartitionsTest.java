package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.updates.Partition;
import org.junit.jupiter.api.Test;

/** A replica holds at most its share of the partitions. */
class HeldPartitionsTest {
  private final HeldPartitions held = new HeldPartitions();

  private long wanted() {
    return Partition.ALL.stream().filter(held::wants).count();
  }

  @Test
  void theFirstReplicaTakesAll() {
    assertThat(held.held()).isEmpty();
    assertThat(wanted()).isEqualTo(16);
    held.assigned(Partition.ALL, 1);
    assertThat(wanted()).isEqualTo(16);
    assertThat(held.readsTotals()).isTrue();
  }

  @Test
  void itGivesBackWhatIsMoreThanItsShare() {
    held.assigned(Partition.ALL, 3);
    assertThat(wanted()).isEqualTo(6);
  }

  @Test
  void itWantsNoMoreOnceItHasItsShare() {
    held.assigned(Partition.ALL.subList(4, 12), 2);
    assertThat(Partition.ALL.stream().filter(held::wants)).isEqualTo(Partition.ALL.subList(4, 12));
    assertThat(held.readsTotals()).isFalse();
  }

  @Test
  void itWantsMoreAfterAnotherOneIsGone() {
    held.assigned(Partition.ALL.subList(0, 6), 2);
    assertThat(wanted()).isEqualTo(16);
  }
}
