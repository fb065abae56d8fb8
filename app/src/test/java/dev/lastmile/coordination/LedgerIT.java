package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.testing.Books;
import dev.lastmile.testing.Ports;
import dev.lastmile.testing.RedisServer.RedisProcess;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.Envelope;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.OperationStatus;
import dev.lastmile.updates.Partition;
import dev.lastmile.updates.Update;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The scripts of the ledger on a real Redis: each entry ends once, whoever comes when. */
class LedgerIT {
  private static final Channel CHANNEL = new Channel("3" + "0".repeat(31));
  private static final Partition PARTITION = CHANNEL.partition();
  private static final String OWNER = "a~00000000.0";

  @TempDir Path folder;

  private RedisProcess redis;
  private RedisClient client;
  private RedisLink link;
  private RedisCommands<String, String> commands;
  private int operations;

  @BeforeEach
  void start() {
    redis = new RedisProcess(Ports.free(), folder, true);
    redis.start();
    client = RedisClient.create(redis.uri().toString());
    client.setOptions(ClientOptions.builder().autoReconnect(false).build());
    commands = RedisClient.create(redis.uri().toString()).connect().sync();
    link =
        new RedisLink(
            client,
            new RedisProperties(
                redis.uri().toString(),
                "updates",
                Duration.ofSeconds(2),
                Duration.ofMillis(50),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                100),
            System::nanoTime);
    link.start();
    Awaitility.await().until(link::isUp);
    assertThat(lease("take", 60_000)).isEqualTo("held");
    announce(OWNER, 1);
  }

  @AfterEach
  void stop() {
    link.close();
    client.shutdown();
    redis.close();
  }

  private List<Object> run(Script script, List<String> keys, Object... arguments) {
    List<byte[]> bytes = new ArrayList<>();
    for (Object argument : arguments) {
      bytes.add(argument.toString().getBytes(UTF_8));
    }
    return link.run(script, keys, bytes);
  }

  private String lease(String mode, long millis) {
    return lease(OWNER, mode, millis);
  }

  private String lease(String owner, String mode, long millis) {
    List<Object> arguments = new ArrayList<>(List.of(owner, mode, millis, "0"));
    arguments.addAll(Leases.COUNTERS);
    return new Answer(
            run(
                Script.LEASE,
                List.of(Keys.meta(PARTITION), Keys.leases(PARTITION), Keys.account(PARTITION)),
                arguments.toArray()))
        .text(0);
  }

  private String announce(String owner, long generation) {
    return presence(owner, "announce", generation);
  }

  private String presence(String owner, String mode, long generation) {
    return new Answer(
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
  private Update publish() {
    OperationId id = new OperationId("op3-%032x".formatted(++operations));
    ApplyCall.Factory calls =
        new ApplyCall.Factory(
            "updates",
            true,
            new Replica("publisher"),
            new RetentionProperties(
                200,
                Duration.ofHours(1),
                20,
                Duration.ofHours(1),
                Duration.ofMinutes(1),
                64,
                262_144),
            Duration.ofMinutes(1));
    ApplyCall call =
        calls.create(
            new Draft(
                id,
                CHANNEL,
                "export",
                CorrelationId.random(),
                TraceContext.of(null, null),
                new NewState(OperationStatus.PENDING, 0, null, null, 0),
                "{}"),
            null,
            60_000);
    Answer answer = new Answer(link.run(Script.APPLY, call.keys(), call.arguments()));
    assertThat(answer.text(0)).isEqualTo("created");
    return Envelope.decode(answer.bytes(2));
  }

  private String settle(Update update, String how, UnaryOperator<Long> at) {
    return settle(update, how, at, update.cursor().epoch());
  }

  private String settle(Update update, String how, UnaryOperator<Long> at, String epoch) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(PARTITION));
    keys.addAll(Keys.ledger(PARTITION));
    keys.add(Keys.account(PARTITION));
    keys.add(Keys.timeline(update.operationId()));
    Answer answer =
        new Answer(
            run(
                Script.SETTLE,
                keys,
                epoch,
                1_000_000,
                CHANNEL,
                update.sequence(),
                OWNER,
                update.version(),
                how,
                at.apply(update.publishedAtMicros())));
    return answer.isEmpty() ? "foreign" : answer.text(0);
  }

  /** What a sweep has expired, as lines; the deadlines are given. */
  private List<String> sweep(long redeliverMillis, long expireMillis, int most) {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(PARTITION));
    keys.addAll(Keys.ledger(PARTITION));
    keys.add(Keys.account(PARTITION));
    keys.add(Keys.leases(PARTITION));
    keys.add(Keys.expired(PARTITION));
    Answer answer =
        new Answer(run(Script.SWEEP, keys, redeliverMillis, expireMillis, most, "updates", 5));
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < answer.list(2).size(); i++) {
      lines.add(answer.list(2).text(i));
    }
    if (answer.number(0) == 1) {
      lines.add("more");
    }
    return lines;
  }

  private Books books() {
    Books books = Books.read(redis.uri());
    books.assertBalanced();
    return books;
  }

  @Test
  void aFlushWithinASecondIsDelivered_afterItLate_andWhatComesSecondCountsNothing() {
    Update first = publish();
    assertThat(books().outstanding()).isEqualTo(1);
    assertThat(settle(first, "flushed", at -> at + 1_000_000)).isEqualTo("delivered");
    assertThat(settle(first, "flushed", at -> at + 1_000_000)).isEmpty();
    assertThat(settle(first, "client_gone", at -> at)).isEmpty();
    Update second = publish();
    assertThat(settle(second, "flushed", at -> at + 1_000_001)).isEqualTo("late");
    Update third = publish();
    assertThat(settle(third, "slow_consumer", at -> at)).isEqualTo("slow_consumer");
    assertThat(settle(third, "flushed", at -> at)).isEmpty();
    assertThat(books().toString())
        .contains("expected=3 delivered=1 late=1 client_gone=0 slow_consumer=1");
  }

  @Test
  void whatIsOverdueIsAskedForOnce_thenExpires_andIsNotSettledAfterThat() {
    Update update = publish();
    assertThat(sweep(60_000, 60_000, 10)).isEmpty();
    assertThat(books().total("redelivered")).isZero();
    Awaitility.await()
        .until(() -> sweep(1, 60_000, 10).isEmpty() && books().total("redelivered") == 1);
    assertThat(sweep(1, 60_000, 10)).isEmpty();
    assertThat(books().total("redelivered")).as("once").isEqualTo(1);
    List<String> expired = sweep(1, 1, 10);
    assertThat(expired).hasSize(1);
    assertThat(Expired.parse(expired.getFirst()))
        .returns("not_received", Expired::reason)
        .returns("a", Expired::replica)
        .returns(update.operationId().value(), Expired::operationId)
        .returns(update.correlationId().value(), Expired::correlationId);
    assertThat(settle(update, "flushed", at -> at)).isEmpty();
    assertThat(books().toString()).contains("delivered=0").contains("not_received=1");
  }

  @Test
  void whatIsSettledAfterItWasAskedForAgainIsNotExpired() {
    Update update = publish();
    Awaitility.await()
        .until(() -> sweep(1, 60_000, 10).isEmpty() && books().total("redelivered") == 1);
    assertThat(settle(update, "flushed", at -> at + 1_200_000)).isEqualTo("late");
    assertThat(sweep(1, 1, 10)).isEmpty();
    assertThat(books().outstanding()).isZero();
  }

  @Test
  void anOwnerWithoutALeaseIsNotExpectedToDeliver_andWhatItOwedIsOwnerGone() {
    publish();
    assertThat(lease("leave", 0)).isEqualTo("left");
    assertThat(lease("renew", 60_000)).isEqualTo("lost");
    publish();
    assertThat(books().total("expected")).isEqualTo(1);
    List<String> expired = new ArrayList<>();
    Awaitility.await()
        .until(() -> {
          expired.addAll(sweep(1, 2, 10));
          return !expired.isEmpty();
        });
    assertThat(Expired.parse(expired.getFirst()).reason()).isEqualTo("owner_gone");
    assertThat(books().total("redelivered")).as("nobody is there to be asked").isZero();
    assertThat(announce(OWNER, 2)).isEqualTo("lost");
  }

  @Test
  void aLateWithdrawalDoesNotTakeANewerAnnouncementAway() {
    announce(OWNER, 7);
    presence(OWNER, "withdraw", 6);
    publish();
    assertThat(books().total("expected")).isEqualTo(1);
    presence(OWNER, "withdraw", 7);
    publish();
    assertThat(books().total("expected")).isEqualTo(1);
    assertThat(commands.keys("*:presence:*")).isEmpty();
    assertThat(commands.keys("*:channels:*")).isEmpty();
  }

  @Test
  void aSweepDoesABoundedPart_andSaysThatThereIsMore() {
    for (int i = 0; i < 25; i++) {
      publish();
    }
    Awaitility.await().until(() -> sweep(1, 60_000, 10).contains("more"));
    assertThat(books().total("redelivered")).isEqualTo(10);
    assertThat(sweep(1, 60_000, 10)).contains("more");
    assertThat(sweep(1, 60_000, 10)).isEmpty();
    assertThat(books().total("redelivered")).isEqualTo(25);
    assertThat(sweep(1, 1, 20)).hasSize(21).contains("more");
    assertThat(sweep(1, 1, 20)).hasSize(5);
    assertThat(commands.llen(Keys.expired(PARTITION))).as("examples").isEqualTo(5);
    assertThat(books().total("not_received")).isEqualTo(25);
  }

  @Test
  void anotherEpochKnowsNothingOfTheOldOne() {
    Update old = publish();
    redis.kill();
    redis.start();
    commands = RedisClient.create(redis.uri().toString()).connect().sync();
    Awaitility.await("the link to have renewed the epoch")
        .until(() ->
            link.isUp()
                && !commands.hget(Keys.meta(PARTITION), "epoch").equals(old.cursor().epoch()));
    assertThat(books().outstanding()).isZero();
    assertThat(books().total("expected")).isZero();
    assertThat(lease("renew", 60_000)).as("leases end with the epoch").isEqualTo("lost");
    assertThat(settle(old, "flushed", at -> at)).isEqualTo("foreign");
    String next = "a~00000000.1";
    assertThat(lease(next, "take", 60_000)).isEqualTo("held");
    announce(next, 1);
    Update fresh = publish();
    assertThat(fresh.sequence()).isGreaterThan(old.sequence());
    assertThat(settle(fresh, "flushed", at -> at, old.cursor().epoch())).isEqualTo("foreign");
    assertThat(books().outstanding()).isEqualTo(1);
  }

  /** Totals that have lost their past would be wrong for ever. */
  @Test
  void anAccountThatWasDeletedMeansANewEpoch() {
    Update update = publish();
    commands.del(Keys.account(PARTITION));
    sweep(60_000, 60_000, 10);
    assertThat(settle(update, "flushed", at -> at)).isEqualTo("foreign");
    assertThat(lease("renew", 60_000)).isEqualTo("no_epoch");
    link.renewEpochs();
    assertThat(books().outstanding()).isZero();
    assertThat(lease("renew", 60_000)).isEqualTo("lost");
  }

  @Test
  void anIncarnationWhoseLeaseWasDeletedIsCollectedAllTheSame() {
    commands.del(Keys.leases(PARTITION));
    assertThat(lease("renew", 60_000)).isEqualTo("lost");
    assertThat(lease("leave", 0)).isEqualTo("left");
    assertThat(commands.zscore(Keys.leases(PARTITION), OWNER)).isZero();
  }

  /** Nobody could sweep, so nobody could settle: nothing is overdue because of that. */
  @Test
  void theTimeInWhichRedisStoodStillDoesNotCount() throws Exception {
    assertThat(lease("take", 2_000)).isEqualTo("held");
    publish();
    sweep(60_000, 60_000, 10);
    redis.signal("STOP");
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
    while (System.nanoTime() < until) {
      java.util.concurrent.locks.LockSupport.parkNanos(until - System.nanoTime());
    }
    redis.signal("CONT");
    Awaitility.await().until(link::isUp);
    assertThat(lease("renew", 2_000)).as("the first to judge, before any sweep").isEqualTo("held");
    assertThat(sweep(60_000, 2_500, 10)).isEmpty();
    assertThat(books().outstanding()).isEqualTo(1);
  }
}
