package dev.lastmile.redis;

import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Partition;
import java.util.List;

/**
 * The names of the Pub/Sub channels. They are sharded: each lies in the slot of its partition, and
 * so at the primary that runs the scripts of the partition (<a
 * href="https://redis.io/docs/latest/develop/pubsub/#sharded-pubsub">sharded Pub/Sub</a>).
 *
 * <p>The inbox is of a process and not of its incarnation: a lost lease changes no subscription.
 * Any thread.
 */
public final class PubsubChannels {
  private final String name;
  private final Replica replica;

  /**
   * @param name part of every name, which keeps environments apart; may be empty
   */
  public PubsubChannels(String name, Replica replica) {
    this.name = name.isEmpty() ? "" : name + ":";
    this.replica = replica;
  }

  /** What the names of all channels of a partition begin with, for scripts. */
  public String prefix(Partition partition) {
    return partition.tag() + ":" + name;
  }

  /** The channel of the updates that are published to all replicas. */
  public String updates(Partition partition) {
    return prefix(partition) + "updates";
  }

  /** The channel of the messages for this process. */
  public String inbox(Partition partition) {
    return prefix(partition) + "inbox:" + replica.process();
  }

  /** The channels of a partition to which this replica subscribes. */
  public List<String> wanted(Partition partition) {
    return List.of(inbox(partition), updates(partition));
  }
}
