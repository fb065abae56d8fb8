package dev.lastmile.redis;

import dev.lastmile.updates.Partition;
import java.util.List;

/**
 * The partitions for which this replica does the periodic work of all replicas: it sweeps them and
 * deletes old data. The holder of the first partition reads the totals of all.
 *
 * <p>The renewals of the leases assign a partition to one replica at a time. The work stays correct
 * if two replicas do it, for example after a pause. Each replica holds at most its share, and for a
 * moment also partitions of a replica that is gone, or that does not reach every primary.
 *
 * <p>Any thread reads; one thread at a time changes it.
 */
public final class HeldPartitions {
  private volatile List<Partition> held = List.of();
  private volatile long share = Partition.COUNT;

  /** The partitions that this replica holds at present. */
  public List<Partition> held() {
    return held;
  }

  /** Whether this replica reads the totals of all partitions, for all replicas. */
  public boolean readsTotals() {
    return held.contains(Partition.ALL.getFirst());
  }

  /** Whether this replica takes the partition if no replica holds it, or keeps it. */
  public boolean wants(Partition partition) {
    List<Partition> now = held;
    int index = now.indexOf(partition);
    return index < 0 ? now.size() < share : index < share;
  }

  /**
   * Sets what the last renewal assigned.
   *
   * @param replicas replicas that renewed their lease lately, this one included
   */
  public void assigned(List<Partition> partitions, long replicas) {
    held = List.copyOf(partitions);
    share = Math.ceilDiv(Partition.COUNT, Math.max(1, replicas));
  }
}
