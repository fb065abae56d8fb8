package dev.lastmile.updates;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.redis.PartitionTags;
import io.lettuce.core.cluster.SlotHash;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartitionTest {
  /** With ranges of slots as {@code redis-cli --cluster create} makes them. */
  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
  void primariesHaveNearlyTheSameNumberOfPartitions(int primaries) {
    double range = (double) SlotHash.SLOT_COUNT / primaries;
    long[] partitions = new long[primaries];
    for (Partition partition : Partition.ALL) {
      int slot = SlotHash.getSlot(partition.tag() + ":meta");
      partitions[(int) Math.min(primaries - 1, Math.round(slot / range - 0.5))]++;
    }
    long most = LongStream.of(partitions).max().orElseThrow();
    long fewest = LongStream.of(partitions).min().orElseThrow();
    assertThat(most).isLessThanOrEqualTo(2 * fewest);
    assertThat(fewest).isPositive();
  }

  @Test
  void theTagsAreThoseOfTheStoredData() {
    List<String> tags = Partition.ALL.stream().map(Partition::tag).toList();
    assertThat(tags).isEqualTo(PartitionTags.ALL).doesNotHaveDuplicates();
  }
}
