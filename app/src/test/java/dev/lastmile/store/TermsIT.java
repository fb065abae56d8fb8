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
import dev.lastmile.updates.OperationStatus;
import dev.lastmile.updates.Partition;
import dev.lastmile.updates.Update;
import io.lettuce.core.RedisClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
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

  /** One change of an operation; another one may have its version in another term. */
  private record Change(long version, long atMicros) {
    static Change of(Update update) {
      return new Change(update.version(), update.publishedAtMicros());
    }
  }

  /** A server, and the changes that the scripts have stored there. */
  private static final class Server {
    final PlayedServer played;
    Map<OperationId, Change> state = new HashMap<>();
    Set<OperationId> trimmed = new HashSet<>();
    boolean primary;

    Server(int database) {
      played = new PlayedServer(client, redis.uri(), database);
    }
  }

  /** A client, and what it shows. */
  private static final class Reader {
    @Nullable Cursor cursor;
    Map<OperationId, Change> shown = new HashMap<>();
  }

  private final List<Server> servers = new ArrayList<>();
  private final Reader one = new Reader();
  private final Reader other = new Reader();
  private final List<String> steps = new ArrayList<>();

  /** Operations that any server has deleted. */
  private final Set<OperationId> trimmed = new HashSet<>();

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
    trimmed.clear();
    terms = 1;
    List<String> keys = new ArrayList<>(List.of(Keys.meta(CHANNEL.partition())));
    keys.addAll(Keys.ledger(CHANNEL.partition()));
    keys.add(Keys.account(CHANNEL.partition()));
    keys.add(Keys.leases(CHANNEL.partition()));
    Server first = servers.getFirst();
    first.played.begin(terms, keys);
    first.primary = true;
    first.state = new HashMap<>();
    first.trimmed = new HashSet<>();
    servers.subList(1, 3).forEach(server -> replicate(first, server));
    for (Reader reader : List.of(one, other)) {
      reader.cursor = null;
      reader.shown = new HashMap<>();
    }
  }

  private void change(Server server) {
    OperationId id = new OperationId("op3-%032x".formatted(++operations));
    ScriptReply reply = TestOperations.create(server.played::run, id, CHANNEL);
    changed(server, Envelope.decode(reply.bytes(3)));
  }

  /** Changes an operation that exists, so that its newest update moves in the log. */
  private void changeAgain(Server server, OperationId id, OperationStatus status) {
    ScriptReply reply = TestOperations.change(server.played::run, id, CHANNEL, status);
    if (reply.text(0).equals("stored")) {
      changed(server, Envelope.decode(reply.bytes(3)));
    }
  }

  private static void changed(Server server, Update update) {
    assertThat(update.cursor().term()).startsWith(server.played.replicationId());
    server.state.put(update.operationId(), Change.of(update));
  }

  /** Deletes all final operations. */
  private void trim(Server server) {
    List<String> keys = new ArrayList<>(Keys.state(CHANNEL));
    keys.add(Keys.expiry(CHANNEL.partition()));
    ScriptArguments arguments = new ScriptArguments().add(CHANNEL.value()).add(-1_000).add(1_000);
    server.played.run(Script.TRIM, keys, arguments);
    Set<OperationId> left = new HashSet<>();
    page(server, null, 1_000).updates().forEach(update -> left.add(update.operationId()));
    server.trimmed.addAll(server.state.keySet());
    server.trimmed.removeAll(left);
    trimmed.addAll(server.trimmed);
    server.state.keySet().retainAll(left);
  }

  private void replicate(Server primary, Server replica) {
    replica.played.replicate(primary.played);
    replica.state = new HashMap<>(primary.state);
    replica.trimmed = new HashSet<>(primary.trimmed);
    replica.primary = false;
  }

  private void promote(Server server) {
    server.played.enterTerm(++terms);
    server.primary = true;
  }

  /** Reads everything after the cursor of a client. Returns whether it continues. */
  private boolean read(Reader reader, Server server) {
    return read(reader, server, 1_000);
  }

  /** Reads one page after the cursor of a client. Returns whether it continues. */
  private boolean read(Reader reader, Server server, int limit) {
    Cursor cursor = reader.cursor;
    Delta delta = page(server, cursor, limit);
    boolean paging = cursor != null && cursor.partial();
    boolean continues = paging ? delta.continuesPage(cursor) : delta.continues(cursor);
    long after = continues && cursor != null ? cursor.sequence() : 0;
    if (!continues) {
      assertThat(delta.after()).as("everything is read, after %s", steps).isZero();
      reader.shown.clear();
      replaced += cursor == null ? 0 : 1;
    }
    delta.updates().stream()
        .filter(update -> update.sequence() > after)
        .forEach(update -> reader.shown.put(update.operationId(), Change.of(update)));
    reader.cursor = delta.reached(after);
    if (delta.complete()) {
      reader.shown.keySet().removeAll(server.trimmed);
      Map<OperationId, Change> expected = new HashMap<>(server.state);
      // Retention has deleted it for this client, though a failover has lost the deletion.
      expected.keySet().removeIf(id -> trimmed.contains(id) && !reader.shown.containsKey(id));
      assertThat(reader.shown).as("shown after %s", steps).isEqualTo(expected);
    }
    return continues;
  }

  private static Delta page(Server server, @Nullable Cursor after, int limit) {
    Partition partition = CHANNEL.partition();
    List<String> keys = new ArrayList<>(Keys.state(CHANNEL));
    keys.add(Keys.expiry(partition));
    ScriptArguments arguments =
        new ScriptArguments()
            .add(after == null ? "" : after.epoch())
            .add(after == null ? "" : after.termText())
            .add(after == null ? 0 : after.sequence())
            .add(limit)
            .add(1_000_000)
            .add(after != null && after.partial())
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

  /** The part that was read has no operation that comes later in the read. */
  @Test
  void aFailoverWithinARead_replacesWhatWasRead() {
    Server old = servers.getFirst();
    change(old);
    OperationId moved = old.state.keySet().iterator().next();
    change(old);
    replicate(old, servers.get(1));
    changeAgain(old, moved, OperationStatus.RUNNING);
    read(one, old, 1);
    promote(servers.get(1));
    assertThat(read(one, servers.get(1))).isFalse();
  }

  /** A client of a channel without operations has seen nothing that could be lost. */
  @Test
  void aChannelThatWasTrimmedBefore_resetsNobody() {
    Server old = servers.getFirst();
    finish(old);
    read(one, old);
    trim(old);
    read(one, old);
    replicate(old, servers.get(1));
    promote(servers.get(1));
    assertThat(read(one, servers.get(1))).isTrue();
    change(servers.get(1));
    assertThat(read(one, servers.get(1))).isTrue();
  }

  @Test
  void aChannelThatWasTrimmedAfterALoss_resetsThoseWhoHadSeenIt() {
    Server old = servers.getFirst();
    Server next = servers.get(1);
    finish(old);
    replicate(old, next);
    change(old);
    change(old);
    read(one, old);
    read(other, old);
    promote(next);
    finish(next);
    trim(next);
    assertThat(read(one, next)).as("while the channel has no operation").isFalse();
    change(next);
    assertThat(read(other, next)).as("of the new channel").isFalse();
  }

  private void finish(Server server) {
    change(server);
    changeAgain(server, newest(), OperationStatus.SUCCEEDED);
  }

  private OperationId newest() {
    return new OperationId("op3-%032x".formatted(operations));
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
      switch (random.nextInt(14)) {
        case 0, 1 -> {
          steps.add("create " + from);
          change(server);
        }
        case 2, 3, 12 -> {
          OperationId id = new OperationId("op3-%032x".formatted(operations - random.nextInt(3)));
          boolean ends = random.nextInt(3) == 0;
          steps.add((ends ? "finish " : "change ") + id.value().substring(30) + " at " + from);
          changeAgain(server, id, ends ? OperationStatus.SUCCEEDED : OperationStatus.RUNNING);
        }
        case 4, 5, 6, 7 -> {
          boolean isOne = random.nextBoolean();
          int limit = random.nextBoolean() ? 1 : 1_000;
          steps.add("read " + limit + (isOne ? " one " : " other ") + from);
          read(isOne ? one : other, server, limit);
        }
        case 13 -> {
          steps.add("trim " + from);
          trim(server);
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
