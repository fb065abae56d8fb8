package dev.lastmile.demo.scenarios;

import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.redis.SentinelSet;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;
import org.awaitility.Awaitility;

/** What goes wrong with the Redis servers that Sentinels watch. */
enum RedisFault {
  FAILOVER_ON_REQUEST {
    @Override
    void play(SentinelSet set) {
      set.failover();
    }
  },
  PRIMARY_KILLED {
    @Override
    void play(SentinelSet set) {
      kill(set, set.primary());
    }
  },
  PRIMARY_KILLED_WHILE_REPLICAS_ARE_BEHIND {
    @Override
    void play(SentinelSet set) {
      RedisProcess first = set.primary();
      Scenario.killWhileBehind(first, set.replicas());
      set.awaitOtherThan(first);
      first.start();
    }
  },
  /** It takes updates again until a Sentinel tells it that it is a replica. */
  PRIMARY_STANDS_STILL_AND_COMES_BACK {
    @Override
    void play(SentinelSet set) {
      RedisProcess first = set.primary();
      first.signal("STOP");
      try {
        set.awaitOtherThan(first);
        Scenario.during(Duration.ofSeconds(1));
      } finally {
        first.signal("CONT");
      }
    }
  },
  TWO_FAILOVERS_IN_A_ROW {
    @Override
    void play(SentinelSet set) {
      set.failover();
      set.awaitReplicas();
      set.failover();
    }
  },
  A_REPLICA_AND_THEN_THE_PRIMARY_KILLED {
    @Override
    void play(SentinelSet set) {
      RedisProcess replica = set.replicas().getFirst();
      replica.kill();
      Scenario.during(Duration.ofSeconds(1));
      replica.start();
      kill(set, set.primary());
    }
  },
  /**
   * As after a crash of the machine; its replicas take over what it has read.
   *
   * <p>Redis 7.0 leaves the beginning of the transaction in which the file was cut. At the next
   * restart it would apply that part of a script, together with the next transaction. So the file
   * is written anew, as {@code docs/how-to/redis-in-trouble.md} says.
   */
  RESTARTED_WITH_A_FILE_CUT_SHORT {
    @Override
    void play(SentinelSet set) {
      restart(set, first -> first.cutAppendOnlyFile(100_000));
      on(set.primary(), RedisCommands::bgrewriteaof);
    }
  },
  /** Its replicas lose their data, too. */
  RESTARTED_WITHOUT_DATA {
    @Override
    void play(SentinelSet set) {
      restart(set, RedisProcess::deleteData);
    }
  },
  EMPTIED {
    @Override
    void play(SentinelSet set) {
      on(set.primary(), RedisCommands::flushall);
    }
  },
  /** A primary that became a replica of nothing, and stays so for a while. */
  READONLY {
    @Override
    void play(SentinelSet set) {
      refuse(
          set,
          commands -> commands.replicaof("127.0.0.1", 1),
          commands -> commands.replicaofNoOne());
    }
  },
  /** The same, and it serves no old data. */
  MASTERDOWN {
    @Override
    void play(SentinelSet set) {
      refuse(
          set,
          commands -> {
            commands.configSet("replica-serve-stale-data", "no");
            commands.replicaof("127.0.0.1", 1);
          },
          commands -> {
            commands.replicaofNoOne();
            commands.configSet("replica-serve-stale-data", "yes");
          });
    }
  },
  /** A script of another client does not end. */
  BUSY {
    @Override
    void play(SentinelSet set) {
      refuse(
          set,
          commands -> {
            commands.configSet("busy-reply-threshold", "100");
            var _ =
                commands
                    .getStatefulConnection()
                    .async()
                    .eval("while true do end", ScriptOutputType.INTEGER);
            Scenario.during(Duration.ofMillis(200));
          },
          commands -> {
            commands.scriptKill();
            // The script ends a moment after the answer.
            Awaitility.await("the script to end")
                .ignoreExceptions()
                .until(() -> commands.configSet("busy-reply-threshold", "5000").equals("OK"));
          });
    }
  },
  OOM {
    @Override
    void play(SentinelSet set) {
      refuse(
          set,
          commands -> commands.configSet("maxmemory", "1"),
          commands -> commands.configSet("maxmemory", "0"));
    }
  },
  NOREPLICAS {
    @Override
    void play(SentinelSet set) {
      refuse(
          set,
          commands -> commands.configSet("min-replicas-to-write", "5"),
          commands -> commands.configSet("min-replicas-to-write", "0"));
    }
  },
  MISCONF {
    @Override
    void play(SentinelSet set) {
      String folder = set.primary().folder().toString();
      refuse(
          set,
          RedisFault::failToSave,
          commands -> {
            commands.configSet("save", "");
            commands.configSet("dir", folder);
          });
    }
  },
  NOPERM {
    @Override
    void play(SentinelSet set) {
      refuse(
          set,
          commands -> acl(commands, set.serviceUser(), "-evalsha"),
          commands -> acl(commands, set.serviceUser(), "+evalsha"));
    }
  };

  private static final Set<RedisFault> REFUSALS =
      EnumSet.of(READONLY, MASTERDOWN, BUSY, OOM, NOREPLICAS, MISCONF, NOPERM);

  /** Plays it, until the servers can work again. */
  abstract void play(SentinelSet set);

  /** Whether updates are certainly lost. */
  boolean loses() {
    return this == PRIMARY_KILLED_WHILE_REPLICAS_ARE_BEHIND
        || this == RESTARTED_WITH_A_FILE_CUT_SHORT
        || this == RESTARTED_WITHOUT_DATA
        || this == EMPTIED;
  }

  /** Whether the servers answer and refuse; the cause has the name of the fault. */
  boolean refuses() {
    return REFUSALS.contains(this);
  }

  private static void kill(SentinelSet set, RedisProcess first) {
    first.kill();
    set.awaitOtherThan(first);
    first.start();
  }

  /** The primary stops and starts, and the Sentinels take it for a short pause. */
  private static void restart(SentinelSet set, Consumer<RedisProcess> whileStopped) {
    RedisProcess first = set.primary();
    patiently(
        set,
        () -> {
          first.kill();
          whileStopped.accept(first);
          first.start("--replicaof", "no", "one");
        });
  }

  private static void refuse(
      SentinelSet set,
      Consumer<RedisCommands<String, String>> begin,
      Consumer<RedisCommands<String, String>> end) {
    RedisProcess primary = set.primary();
    patiently(
        set,
        () -> {
          try {
            on(primary, begin);
            Scenario.during(Duration.ofSeconds(2));
          } finally {
            on(primary, end);
          }
        });
  }

  private static void patiently(SentinelSet set, Runnable fault) {
    set.patience(Duration.ofMinutes(1));
    try {
      fault.run();
    } finally {
      set.patience(Duration.ofSeconds(1));
    }
  }

  private static void failToSave(RedisCommands<String, String> commands) {
    try {
      Path gone = Files.createTempDirectory("lastmile-gone");
      commands.configSet("dir", gone.toString());
      Files.delete(gone);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    commands.configSet("save", "3600 1");
    commands.bgsave();
    Awaitility.await("the snapshot to fail")
        .until(() -> commands.info("persistence").contains("rdb_last_bgsave_status:err"));
  }

  private static void acl(RedisCommands<String, String> commands, String user, String change) {
    commands.dispatch(
        CommandType.ACL,
        new StatusOutput<>(StringCodec.UTF8),
        new CommandArgs<>(StringCodec.UTF8).add("SETUSER").add(user).add(change));
  }

  private static void on(RedisProcess server, Consumer<RedisCommands<String, String>> action) {
    server.ask(commands -> {
      action.accept(commands);
      return true;
    });
  }
}
