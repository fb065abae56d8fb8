package dev.lastmile.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.Script;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Update;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Each entry of the ledger ends exactly once, in any order of settlements and sweeps. */
class LedgerIT extends LedgerScripts {
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
    assertThat(books().total("redelivered")).as("redelivered once").isEqualTo(1);
    List<String> expired = sweep(1, 1, 10);
    assertThat(expired).hasSize(1);
    assertThat(ExpiredDelivery.parse(expired.getFirst()))
        .returns("not_received", ExpiredDelivery::reason)
        .returns("a", ExpiredDelivery::replica)
        .returns(update.operationId().value(), ExpiredDelivery::operationId)
        .returns(update.correlationId().value(), ExpiredDelivery::correlationId);
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
    assertThat(ExpiredDelivery.parse(expired.getFirst()).reason()).isEqualTo("owner_gone");
    assertThat(books().total("redelivered")).as("no redelivery without a lease").isZero();
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
    assertThat(commands.llen(Keys.expired(PARTITION))).as("stored examples").isEqualTo(5);
    assertThat(books().total("not_received")).isEqualTo(25);
  }

  @Test
  void inANewTermTheAccountBeginsWithWhatIsOutstanding() {
    Update settled = publish();
    assertThat(settle(settled, "flushed", at -> at)).isEqualTo("delivered");
    Update open = publish();
    String began = began();
    restart();
    assertThat(totals()).as("totals before the first sweep").isEmpty();
    sweep(60_000, 60_000, 10);
    assertThat(totals()).isNotEmpty();
    LedgerAudit books = books();
    assertThat(books.total("expected")).isOne();
    assertThat(books.total("delivered")).isZero();
    assertThat(books.outstanding()).isOne();
    assertThat(Long.parseLong(began())).isGreaterThanOrEqualTo(Long.parseLong(began));
    assertThat(lease("renew", 60_000)).as("the lease goes on").isEqualTo("held");
    assertThat(settle(open, "flushed", at -> at)).isEqualTo("delivered");
    assertThat(publish().sequence()).isEqualTo(open.sequence() + 1);
    assertThat(books().outstanding()).isOne();
  }

  /** An owner that has not subscribed yet gets no redelivery. */
  @Test
  void inANewTermWhatIsOutstandingIsRedeliveredAgainBeforeItExpires() {
    publish();
    redelivered();
    restart();
    assertThat(sweep(1, 1, 10)).isEmpty();
    assertThat(books().outstanding()).isOne();
    redelivered();
    Awaitility.await().until(() -> !sweep(60_000, 1, 10).isEmpty());
    assertThat(books().total("not_received")).isOne();
  }

  private void redelivered() {
    Awaitility.await()
        .until(() -> sweep(1, 60_000, 10).isEmpty() && books().total("redelivered") == 1);
  }

  private void restart() {
    redis.kill();
    redis.start();
    commands = client.connect().sync();
    Awaitility.await().until(connection::isConnected);
  }

  /** After a failover that lost the first one, another update may have its sequence. */
  @Test
  void aSettlementOfAnotherTermSettlesNothing() {
    Update update = publish();
    Cursor lost = new Cursor(update.cursor().epoch(), "0a1b2c3d4e5f", update.sequence());
    assertThat(settle(update.readIn(lost.epoch(), lost.term()), "flushed", at -> at)).isEmpty();
    assertThat(books().outstanding()).isOne();
  }

  private String began() {
    return commands.hget(Keys.account(PARTITION), "begun");
  }

  private List<Object> totals() {
    List<String> keys = new ArrayList<>();
    keys.add(Keys.meta(PARTITION));
    keys.addAll(Keys.ledger(PARTITION).subList(0, 2));
    keys.add(Keys.account(PARTITION));
    return run(Script.ACCOUNT, keys);
  }

  /** Deleted totals cannot be restored, so the partition starts a new epoch. */
  @Test
  void anAccountThatWasDeletedMeansANewEpoch() {
    Update update = publish();
    commands.del(Keys.account(PARTITION));
    sweep(60_000, 60_000, 10);
    assertThat(settle(update, "flushed", at -> at)).isEqualTo("foreign");
    assertThat(lease("renew", 60_000)).isEqualTo("no_epoch");
    connection.renewEpochs(PARTITION);
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

  /** While Redis is paused no owner can settle. Deliveries must not expire because of that time. */
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
    Awaitility.await().until(connection::isConnected);
    assertThat(lease("renew", 2_000)).as("renewed before any sweep").isEqualTo("held");
    assertThat(sweep(60_000, 2_500, 10)).isEmpty();
    assertThat(books().outstanding()).isEqualTo(1);
  }

  @Test
  void oneReplicaSweepsAPartition_untilItGivesItBackOrIsSilent() {
    String other = "b~00000000.0";
    long never = 60_000;
    lease(other, "take", 60_000);
    assertThat(sweeps(OWNER, true, never)).as("it took the partition with its lease").isTrue();
    assertThat(sweeps(other, true, never)).isFalse();

    assertThat(sweeps(OWNER, false, never)).as("given back").isFalse();
    assertThat(sweeps(other, true, never)).isTrue();
    assertThat(sweeps(OWNER, true, never)).isFalse();

    lease(other, "leave", 0);
    assertThat(sweeps(OWNER, true, never)).as("the other one has left").isTrue();

    lease("b~00000000.1", "take", 60_000);
    Awaitility.await("silence, also above its share")
        .until(() -> sweeps("b~00000000.1", false, 20));
    assertThat(sweeps(OWNER, true, never)).isFalse();

    sweep(60_000, 60_000, 10);
    assertThat(sweeps(OWNER, true, 1_000)).as("swept a moment ago").isFalse();
  }

  @Test
  void aHolderThatDoesNotReachEveryPrimary_isReplacedByOneThatDoes() {
    String other = "b~00000000.0";
    long never = 60_000;
    lease(other, "take", 60_000);
    assertThat(sweeps(OWNER, true, never, true)).isTrue();

    assertThat(sweeps(OWNER, true, never, false)).as("kept while there is no other").isTrue();
    assertThat(sweeps(other, true, never, false)).as("it reaches no more").isFalse();
    assertThat(sweeps(other, false, never, true)).as("also above its share").isTrue();
    assertThat(sweeps(OWNER, true, never, true)).isFalse();

    assertThat(sweeps(other, true, never, true)).isTrue();
    assertThat(sweeps(OWNER, true, never, true)).as("the new holder reaches all").isFalse();
  }
}
