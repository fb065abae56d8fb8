package dev.lastmile.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.redis.HeldPartitions;
import dev.lastmile.redis.Keys;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Partition;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What replicas tell of the account, and how long. */
class LedgerTotalsIT extends LedgerScripts {
  private static final String GONE = "b~00000000.0";
  private static final Duration HOUR = Duration.ofHours(1);

  private final AtomicLong clock = new AtomicLong();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final HeldPartitions held = new HeldPartitions();
  private LedgerTotals account;

  @BeforeEach
  void open() {
    leaseEverywhere(OWNER, "take", 60_000);
    held.assigned(Partition.ALL, 1);
    account = new LedgerTotals(connection, held, Replica.named("a"), clock::get, meters);
  }

  private double outstanding() {
    return meters.get("lastmile.deliveries.outstanding").gauge().value();
  }

  /** A process may be stopped and woken in the middle of a scrape. */
  @Test
  void aScrapeThatTakesLongStillBalances() {
    publish();
    account.refresh();

    List<Double> scrape =
        account.withConsistentSnapshot(() -> {
          double expected = meters.get("lastmile.deliveries.expected").functionCounter().count();
          clock.addAndGet(Duration.ofSeconds(10).toNanos());
          return List.of(expected, outstanding());
        });

    assertThat(scrape).containsExactly(1.0, 1.0);
    assertThat(outstanding()).as("too old").isNaN();
    account.refresh();
    assertThat(outstanding()).as("read again").isOne();
  }

  private String collect(String incarnation) {
    Partition partition = PARTITION;
    return new ScriptReply(
            run(
                Script.REAP_INCARNATION,
                List.of(
                    Keys.meta(partition),
                    Keys.leases(partition),
                    Keys.channels(partition, incarnation),
                    Keys.account(partition),
                    Keys.presence(CHANNEL)),
                incarnation,
                CHANNEL))
        .text(0);
  }

  private long retire(Duration kept) {
    List<Object> arguments = new ArrayList<>(List.of(kept.toMillis()));
    arguments.addAll(Leases.COUNTERS.subList(1, Leases.COUNTERS.size()));
    return new ScriptReply(
            run(
                Script.DELETE_REPLICA_TOTALS,
                List.of(Keys.leases(PARTITION), Keys.account(PARTITION)),
                arguments.toArray()))
        .number(0);
  }

  @Test
  void theTotalsOfAReplicaAreForgottenLongAfterItHasGone_onceTheyBalance() {
    publish();
    lease(OWNER, "leave", 0);
    assertThat(retire(Duration.ZERO)).as("not collected").isZero();
    assertThat(collect(OWNER)).isEqualTo("gone");
    assertThat(retire(Duration.ZERO)).as("one is outstanding").isZero();
    Awaitility.await().until(() -> !sweep(1, 2, 10).isEmpty());
    assertThat(retire(HOUR)).as("not long ago").isZero();
    assertThat(books().total("owner_gone")).isOne();
    assertThat(retire(Duration.ZERO)).isOne();
    assertThat(commands.hkeys(Keys.account(PARTITION)))
        .containsExactlyInAnyOrder("epoch", "term", "begun", "generation");
  }

  @Test
  void theTotalsOfAReplicaThatHasComeAgainStay() {
    publish();
    lease(OWNER, "leave", 0);
    assertThat(collect(OWNER)).isEqualTo("gone");
    Awaitility.await().until(() -> !sweep(1, 2, 10).isEmpty());
    lease("a~00000001.0", "take", 60_000);
    assertThat(retire(Duration.ZERO)).isZero();
    // Its next incarnation came before this one was collected.
    lease("a~00000001.0", "leave", 0);
    lease("a~00000001.1", "take", 60_000);
    assertThat(collect("a~00000001.0")).isEqualTo("gone");
    assertThat(retire(Duration.ZERO)).isZero();
    assertThat(books().total("owner_gone")).isOne();
  }

  /** It leaves one partition after the other, and must not look like a counter that went back. */
  @Test
  void theSeriesOfAReplicaEndAsOne_afterItIsForgotten() {
    leaseEverywhere(GONE, "take", 60_000);
    account.refresh();
    assertThat(meters.find("lastmile.deliveries.expected").tag("owner", "b").functionCounter())
        .isNotNull();

    commands.hincrby(Keys.account(Partition.ALL.get(1)), "b expected", 7);
    commands.hincrby(Keys.account(Partition.ALL.get(1)), "b delivered", 7);
    account.refresh();
    assertThat(account.reading().total("b", "expected")).isEqualTo(7);
    commands.keys("*:account").stream()
        .filter(key -> !key.equals(Keys.account(Partition.ALL.get(1))))
        .findFirst()
        .ifPresent(key -> Leases.COUNTERS.forEach(counter -> commands.hdel(key, "b " + counter)));
    account.refresh();
    assertThat(account.reading().total("b", "expected")).as("all or nothing").isZero();
    clock.addAndGet(Duration.ofSeconds(61).toNanos());
    account.refresh();
    assertThat(meters.find("lastmile.deliveries.expected").tag("owner", "b").functionCounter())
        .isNull();
    assertThat(meters.find("lastmile.deliveries.expected").tag("owner", "a").functionCounter())
        .isNotNull();
  }

  @Test
  void aReplicaThatHoldsNoPartitionHasTheReadingOfTheOther() {
    publish();
    SimpleMeterRegistry others = new SimpleMeterRegistry();
    LedgerTotals other =
        new LedgerTotals(connection, new HeldPartitions(), Replica.named("b"), clock::get, others);
    account.refresh();
    other.refresh();

    assertThat(other.reading()).as("not read again").isEqualTo(account.reading());
    assertThat(others.get("lastmile.deliveries.outstanding").gauge().value()).isOne();
    clock.addAndGet(Duration.ofSeconds(6).toNanos());
    other.refresh();
    assertThat(others.get("lastmile.deliveries.outstanding").gauge().value())
        .as("the same reading again is not new")
        .isNaN();
  }

  @Test
  void aReplicaReadsItself_whileNoReadingIsShared() {
    publish();
    SimpleMeterRegistry others = new SimpleMeterRegistry();
    LedgerTotals other =
        new LedgerTotals(connection, new HeldPartitions(), Replica.named("b"), clock::get, others);
    commands.set(Keys.totals(), "of another version");
    other.refresh();
    assertThat(others.get("lastmile.deliveries.outstanding").gauge().value()).isOne();
    commands.del(Keys.totals());
    publish();
    Awaitility.await()
        .untilAsserted(() -> {
          other.refresh();
          assertThat(others.get("lastmile.deliveries.outstanding").gauge().value()).isEqualTo(2);
        });
  }
}
