package dev.lastmile.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.PlayedServer;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.testkit.process.Ports;
import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Envelope;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import dev.lastmile.updates.Update;
import io.lettuce.core.RedisClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A client continues only if it has seen no update that a failover lost, in any order of failovers,
 * restarts, partitions and reads. The scripts are the real ones.
 */
class TermsIT {
  private static final Channel CHANNEL = new Channel("3" + "0".repeat(31));
  private static final int STEPS = 30;

  @TempDir private static Path folder;

  private static RedisProcess redis;
  private static RedisClient client;

  /** A server, and what the scripts have stored there: by sequence, the operation. */
  private static final class Server {
    final PlayedServer played;
    Map<Long, OperationId> log = new TreeMap<>();
    boolean primary;

    Server(int database) {
      played = new PlayedServer(client, redis.uri(), database);
    }
  }

  /** A client, and what it shows. */
  private static final class Reader {
    @Nullable Cursor cursor;
    Map<Long, OperationId> seen = Map.of();
  }

  private final List<Server> servers = new ArrayList<>();
  private final Reader one = new Reader();
  private final Reader other = new Reader();
  private final List<String> steps = new ArrayList<>();
  private int terms;
  private int operations;
  private int replaced;

  @BeforeAll
  static void start() {
    redis = new RedisProcess(Ports.free(), folder, false);
    redis.start();
    client = RedisClient.create();
  }

  @AfterAll
  static void stop() {
    client.shutdown();
    redis.close();
  }

  @BeforeEach
  void beginGroup() {
    IntStream.range(0, 3).forEach(database -> servers.add(new Server(database)));
    begin();
  }

  /** One primary with two replicas, without data. */
  private void begin() {
    steps.clear();
    terms = 1;
    List<String> keys = new ArrayList<>(List.of(Keys.meta(CHANNEL.partition())));
    keys.addAll(Keys.ledger(CHANNEL.partition()));
    keys.add(Keys.account(CHANNEL.partition()));
    keys.add(Keys.leases(CHANNEL.partition()));
    Server first = servers.getFirst();
    first.played.begin(terms, keys);
    first.primary = true;
    first.log = new TreeMap<>();
    servers.subList(1, 3).forEach(server -> replicate(first, server));
    for (Reader reader : List.of(one, other)) {
      reader.cursor = null;
      reader.seen = Map.of();
    }
  }

  private void change(Server server) {
    OperationId id = new OperationId("op3-%032x".formatted(++operations));
    ScriptReply reply = TestOperations.create(server.played::run, id, CHANNEL);
    Update update = Envelope.decode(reply.bytes(3));
    assertThat(update.cursor().term()).isEqualTo(server.played.term());
    server.log.put(update.sequence(), id);
  }

  private void replicate(Server primary, Server replica) {
    replica.played.replicate(primary.played);
    replica.log = new TreeMap<>(primary.log);
    replica.primary = false;
  }

  private void promote(Server server) {
    server.played.enterTerm(++terms);
    server.primary = true;
  }

  /** Reads after the cursor of a client. Returns whether it continues. */
  private boolean read(Reader reader, Server server) {
    Cursor cursor = reader.cursor;
    Delta delta = page(server, cursor);
    boolean continues = delta.continues(cursor);
    boolean same =
        reader.seen.entrySet().stream()
            .allMatch(entry -> entry.getValue().equals(server.log.get(entry.getKey())));
    if (continues) {
      assertThat(same).as("continues, after %s", steps).isTrue();
    } else if (cursor != null) {
      replaced++;
    }
    long after = continues && cursor != null ? cursor.sequence() : 0;
    assertThat(delta.updates().stream().filter(update -> update.sequence() > after))
        .as("what it does not show yet, after %s", steps)
        .extracting(Update::operationId)
        .containsExactlyElementsOf(
            server.log.entrySet().stream()
                .filter(entry -> entry.getKey() > after)
                .map(Map.Entry::getValue)
                .toList());
    reader.cursor = delta.headCursor();
    reader.seen = new TreeMap<>(server.log);
    return continues;
  }

  private static Delta page(Server server, @Nullable Cursor after) {
    Partition partition = CHANNEL.partition();
    List<String> keys = new ArrayList<>(Keys.state(CHANNEL));
    keys.add(Keys.expiry(partition));
    ScriptArguments arguments =
        new ScriptArguments()
            .add(after == null ? "" : after.epoch())
            .add(after == null ? "" : after.term())
            .add(after == null ? 0 : after.sequence())
            .add(1_000)
            .add(1_000_000)
            .add(false)
            .add(CHANNEL.value());
    return OperationStore.delta(new ScriptReply(server.played.run(Script.READ, keys, arguments)));
  }

  @Test
  void aFailoverThatLostNothing_resetsNobody() {
    change(servers.getFirst());
    read(one, servers.getFirst());
    replicate(servers.getFirst(), servers.get(1));
    promote(servers.get(1));
    assertThat(read(one, servers.get(1))).as("before a change").isTrue();
    change(servers.get(1));
    read(other, servers.getFirst());
    assertThat(read(one, servers.get(1))).isTrue();
    assertThat(read(other, servers.get(1))).as("of the term before").isTrue();
  }

  @Test
  void aFailoverThatLostAnUpdate_resetsThoseWhoHadSeenIt() {
    change(servers.getFirst());
    read(one, servers.getFirst());
    replicate(servers.getFirst(), servers.get(1));
    change(servers.getFirst());
    read(other, servers.getFirst());
    promote(servers.get(1));
    change(servers.get(1));
    assertThat(read(one, servers.get(1))).isTrue();
    assertThat(read(other, servers.get(1))).as("the successor has the same sequence").isFalse();
  }

  /** The second primary has not seen that the first one was replaced. */
  @Test
  void twoFailovers_ofWhichTheSecondHasNotSeenTheFirst() {
    change(servers.getFirst());
    replicate(servers.getFirst(), servers.get(1));
    replicate(servers.getFirst(), servers.get(2));
    promote(servers.get(1));
    change(servers.get(1));
    read(one, servers.get(1));
    promote(servers.get(2));
    change(servers.get(2));
    assertThat(read(one, servers.get(2))).isFalse();
  }

  /** A connection that stays open while A is replaced by B and comes back. */
  @Test
  void anOldPrimaryThatGoesOnAndComesBack() {
    Server old = servers.getFirst();
    change(old);
    replicate(old, servers.get(1));
    promote(servers.get(1));
    change(old);
    read(one, old);
    change(servers.get(1));
    read(other, servers.get(1));
    replicate(servers.get(1), old);
    promote(old);
    assertThat(read(one, old)).as("had seen what the old primary took alone").isFalse();
    assertThat(read(other, old)).isTrue();
  }

  /** The new primary has not got the record of the term, and knows it by its replication ids. */
  @Test
  void aTermWhoseRecordWasLost_isKnown() {
    change(servers.getFirst());
    replicate(servers.getFirst(), servers.get(1));
    promote(servers.get(1));
    replicate(servers.get(1), servers.get(2));
    read(one, servers.get(1));
    promote(servers.get(2));
    change(servers.get(2));
    assertThat(read(one, servers.get(2))).isTrue();
  }

  @Test
  void moreThan16Terms_replaceTheClient() {
    Server server = servers.getFirst();
    change(server);
    read(one, server);
    read(other, server);
    for (int i = 0; i < 15; i++) {
      promote(server);
      change(server);
    }
    assertThat(read(one, server)).isTrue();
    promote(server);
    change(server);
    assertThat(read(other, server)).isFalse();
  }

  /** {@code -Dlastmile.seed=N} plays one schedule again. */
  @Test
  void anyOrder() {
    long first = Long.getLong("lastmile.seed", System.nanoTime() & 0xffff);
    int schedules = Integer.getInteger("lastmile.terms.schedules", 100);
    for (long seed = first; seed < first + schedules; seed++) {
      begin();
      steps.add("seed " + seed);
      play(new Random(seed));
    }
    System.out.printf("TermsIT seed=%d: %d schedules, %d resets%n", first, schedules, replaced);
    assertThat(replaced).as("clients that were replaced").isPositive();
  }

  private void play(Random random) {
    for (int i = 0; i < STEPS; i++) {
      int from = random.nextInt(3);
      int to = (from + 1 + random.nextInt(2)) % 3;
      Server server = servers.get(from);
      if (!server.primary) {
        if (random.nextInt(4) == 0) {
          steps.add("promote " + from);
          promote(server);
        }
        continue;
      }
      switch (random.nextInt(12)) {
        case 0, 1, 2, 3 -> {
          steps.add("change " + from);
          change(server);
        }
        case 4, 5, 6, 7 -> {
          boolean isOne = random.nextBoolean();
          steps.add("read " + (isOne ? "one " : "other ") + from);
          read(isOne ? one : other, server);
        }
        case 8 -> {
          steps.add("restart " + from);
          promote(server);
        }
        default -> {
          steps.add("replicate " + from + " to " + to);
          replicate(server, servers.get(to));
        }
      }
    }
  }
}
