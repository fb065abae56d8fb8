package dev.lastmile.demo.scenarios;

import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.redis.ClusterSet;
import dev.lastmile.testkit.redis.PartitionTags;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import io.lettuce.core.KillArgs;
import io.lettuce.core.cluster.SlotHash;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What goes wrong with a Redis Cluster, or is done to it. */
enum ClusterFault {
  FAILOVER_ON_REQUEST {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      set.failover(set.primaryOf(TAG));
    }
  },
  PRIMARY_KILLED {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      kill(set, set.primaryOf(TAG));
    }
  },
  /** Updates are lost that browsers have received. */
  PRIMARY_KILLED_WHILE_ITS_REPLICA_IS_BEHIND {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      RedisProcess primary = set.primaryOf(TAG);
      RedisProcess replica = set.replicaOf(primary);
      Scenario.killWhileBehind(primary, List.of(replica));
      set.awaitPrimary(replica);
      primary.start();
    }

    @Override
    boolean loses() {
      return true;
    }
  },
  PRIMARY_AND_ITS_REPLICA_KILLED_IN_TURN {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      RedisProcess first = set.primaryOf(TAG);
      RedisProcess second = set.replicaOf(first);
      kill(set, first);
      set.awaitComplete();
      kill(set, second);
    }
  },
  /** While a slot moves, its partition answers 503; nothing of it expires. */
  SLOT_MOVED_BOTH_WAYS {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      RedisProcess from = set.primaryOf(TAG);
      RedisProcess to = set.primaryOf(OTHER_TAG);
      Runnable pause = () -> Scenario.during(Duration.ofSeconds(1));
      set.moveSlot(SLOT, from, to, pause);
      Scenario.during(Duration.ofSeconds(2));
      set.moveSlot(SLOT, to, from, pause);
    }
  },
  /** Valkey moves all keys of a slot as one step, and answers until then. */
  SLOT_MIGRATED_ATOMICALLY {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      RedisProcess from = set.primaryOf(TAG);
      RedisProcess to = set.primaryOf(OTHER_TAG);
      set.migrateSlot(SLOT, from, to);
      Scenario.during(Duration.ofSeconds(2));
      set.migrateSlot(SLOT, to, from);
    }

    @Override
    boolean isForRedis() {
      return false;
    }
  },
  PRIMARY_ADDED_AND_REMOVED {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      RedisProcess from = set.primaryOf(TAG);
      RedisProcess added = set.add();
      set.moveSlot(SLOT, from, added, () -> {});
      Scenario.during(Duration.ofSeconds(2));
      set.moveSlot(SLOT, added, from, () -> {});
      set.remove(added);
    }
  },
  SUBSCRIPTIONS_CUT {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      for (int i = 0; i < 3; i++) {
        set.primaryOf(TAG).ask(commands -> commands.clientKill(KillArgs.Builder.typePubsub()));
        Scenario.during(Duration.ofMillis(700));
      }
    }
  },
  /** The servers still see each other, so there is no failover. */
  NETWORK_TO_A_PRIMARY_SWALLOWS {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      set.blackhole(set.primaryOf(TAG), () -> Scenario.during(Duration.ofSeconds(6)));
    }
  },
  /** By another one of the same authority; then all connections are opened anew. */
  CERTIFICATE_REPLACED {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      set.replaceCertificate();
      for (RedisProcess server : set.servers()) {
        server.ask(commands -> commands.clientKill(KillArgs.Builder.typeNormal().skipme()));
        server.ask(commands -> commands.clientKill(KillArgs.Builder.typePubsub()));
        Scenario.during(Duration.ofMillis(500));
      }
    }
  },
  /** Its partitions are swept by another replica. */
  HOLDER_KILLED {
    @Override
    void play(ClusterSet set, Cluster cluster) {
      cluster.replica(2).kill();
      Scenario.during(Duration.ofSeconds(2));
      cluster.replica(2).start().awaitReady();
    }
  };

  /** A partition of the first primary, and one of the last. */
  private static final String TAG = PartitionTags.ALL.get(1);

  static final String OTHER_TAG = PartitionTags.ALL.getLast();
  private static final int SLOT = SlotHash.getSlot(TAG);

  /** Without {@link #PRIMARY_KILLED}: until the failover the cluster is incomplete, and refuses. */
  private static final Set<ClusterFault> SPARE_OTHERS =
      EnumSet.of(
          FAILOVER_ON_REQUEST,
          SLOT_MOVED_BOTH_WAYS,
          SLOT_MIGRATED_ATOMICALLY,
          SUBSCRIPTIONS_CUT,
          NETWORK_TO_A_PRIMARY_SWALLOWS);

  /** Plays it, until the servers can work again. */
  abstract void play(ClusterSet set, Cluster cluster);

  /** Whether Redis can play it, too, and not only Valkey. */
  boolean isForRedis() {
    return true;
  }

  /** Whether updates are lost that browsers have received. */
  boolean loses() {
    return false;
  }

  /** Whether only partitions of one primary, or one partition, have the fault. */
  boolean sparesOthers() {
    return SPARE_OTHERS.contains(this);
  }

  private static void kill(ClusterSet set, RedisProcess primary) {
    RedisProcess replica = set.replicaOf(primary);
    primary.kill();
    set.awaitPrimary(replica);
    primary.start();
  }
}
