package dev.lastmile.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.redis.TestConnection;
import dev.lastmile.store.TestOperations;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Envelope;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import dev.lastmile.updates.Update;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The scripts of the ledger on a real Redis, and hands to call them with. */
abstract class LedgerScripts {
  static final Channel CHANNEL = new Channel("3" + "0".repeat(31));
  static final Partition PARTITION = CHANNEL.partition();
  static final String OWNER = "a~00000000.0";

  @TempDir Path folder;

  RedisProcess redis;
  RedisClient client;
  private TestConnection test;
  RedisConnection connection;
  RedisCommands<String, String> commands;
  int operations;

  @BeforeEach
  void start() {
    redis = new RedisProcess(Ports.free(), folder, true);
    redis.start();
    client = RedisClient.create(redis.uri().toString());
    commands = client.connect().sync();
    test = new TestConnection(redis.uri());
    connection = test.connection();
    connection.start();
    Awaitility.await().until(connection::isConnected);
    assertThat(lease("take", 60_000)).isEqualTo("held");
    announce(OWNER, 1);
  }

  @AfterEach
  void stop() {
    test.close();
    client.shutdown();
    redis.close();
  }

  List<Object> run(Script script, List<String> keys, Object... arguments) {
    ScriptArguments encoded = new ScriptArguments();
    for (Object argument : arguments) {
      encoded.add(argument.toString());
    }
    return connection.run(script, keys, encoded);
  }

  String lease(String mode, long millis) {
    return lease(OWNER, mode, millis);
  }

  String lease(String owner, String mode, long millis) {
    return lease(PARTITION, owner, mode, millis);
  }

  /** As a replica takes it, in all partitions. */
  void leaseEverywhere(String owner, String mode, long millis) {
    for (Partition partition : Partition.ALL) {
      lease(partition, owner, mode, millis);
    }
  }

  private String lease(Partition partition, String owner, String mode, long millis) {
    List<Object> arguments =
        new ArrayList<>(List.of(owner, mode, millis, "0", "1", 1_000, 2_500, "1"));
    arguments.addAll(Leases.COUNTERS);
    return new ScriptReply(
            run(
                Script.LEASE,
                List.of(Keys.meta(partition), Keys.leases(partition), Keys.account(partition)),
                arguments.toArray()))
        .text(0);
  }

  /** Renews a lease; returns whether the owner sweeps the partition from now on. */
  boolean sweeps(String owner, boolean wants, long silenceMillis) {
    return sweeps(owner, wants, silenceMillis, true);
  }

  /** As above, by an owner that reaches every primary, or does not. */
  boolean sweeps(String owner, boolean wants, long silenceMillis, boolean reachesAll) {
    String wish = wants ? "1" : "0";
    List<Object> arguments =
        new ArrayList<>(
            List.of(
                owner, "renew", 60_000, "0", wish, silenceMillis, 2_500, reachesAll ? "1" : "0"));
    arguments.addAll(Leases.COUNTERS);
    ScriptReply reply =
        new ScriptReply(
            run(
                Script.LEASE,
                List.of(Keys.meta(PARTITION), Keys.leases(PARTITION), Keys.account(PARTITION)),
                arguments.toArray()));
    assertThat(reply.text(0)).isEqualTo("held");
    return reply.number(2) == 1;
  }

  String announce(String owner, long generation) {
    return presence(owner, "announce", generation);
  }

  String presence(String owner, String mode, long generation) {
    return new ScriptReply(
            run(
                Script.PRESENCE,
                List.of(
                    Keys.meta(PARTITION),
                    Keys.leases(PARTITION),
                    Keys.presence(CHANNEL),
                    Keys.channels(PARTITION, owner)),
                owner,
                mode,
                CHANNEL,
                generation))
        .text(0);
  }

  /** Publishes a new operation. */
  Update publish() {
    OperationId id = new OperationId("op3-%032x".formatted(++operations));
    ScriptReply answer = TestOperations.create(connection, id, CHANNEL);
    assertThat(answer.text(0)).isEqualTo("created");
    return Envelope.decode(answer.bytes(3));
  }

  String settle(Update update, String how, UnaryOperator<Long> at) {
    return settle(update, how, at, update.cursor().epoch());
  }

  String settle(Update update, String how, UnaryOperator<Long> at, String epoch) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(PARTITION));
    keys.addAll(Keys.ledger(PARTITION));
    keys.add(Keys.account(PARTITION));
    keys.add(Keys.timeline(update.operationId()));
    ScriptReply answer =
        new ScriptReply(
            run(
                Script.SETTLE,
                keys,
                epoch,
                1_000_000,
                "delivered",
                "late",
                CHANNEL,
                update.sequence(),
                OWNER,
                update.version(),
                update.cursor().term(),
                how,
                at.apply(update.publishedAtMicros())));
    return answer.isEmpty() ? "foreign" : answer.text(0);
  }

  /** What a sweep has expired, as lines; the deadlines are given. */
  List<String> sweep(long redeliverMillis, long expireMillis, int most) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(PARTITION));
    keys.addAll(Keys.ledger(PARTITION));
    keys.add(Keys.account(PARTITION));
    keys.add(Keys.leases(PARTITION));
    keys.add(Keys.expired(PARTITION));
    ScriptReply answer =
        new ScriptReply(
            run(
                Script.SWEEP,
                keys,
                redeliverMillis,
                expireMillis,
                most,
                PARTITION.tag() + ":",
                5,
                "not_received",
                "owner_gone"));
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < answer.list(2).size(); i++) {
      lines.add(answer.list(2).text(i));
    }
    if (answer.number(0) == 1) {
      lines.add("more");
    }
    return lines;
  }

  LedgerAudit books() {
    LedgerAudit books = LedgerAudit.read(redis.uri());
    books.assertBalanced();
    return books;
  }
}
