package dev.lastmile.streams;

import static dev.lastmile.streams.TestUpdates.CHANNEL;
import static dev.lastmile.streams.TestUpdates.EPOCH;
import static dev.lastmile.streams.TestUpdates.OTHER_EPOCH;
import static dev.lastmile.streams.TestUpdates.delta;
import static dev.lastmile.streams.TestUpdates.frames;
import static dev.lastmile.streams.TestUpdates.update;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Each delivery that is expected of a replica is settled once and with the right outcome, in any
 * order of flushes and checks.
 */
class PendingDeliveriesTest {
  private static final long MILLIS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final String OWNER = "replica-1~00000000.0";

  private final List<String> settled = new ArrayList<>();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final StreamProperties properties = TestUpdates.properties(16, 100_000, 8);
  private final StreamRegistry registry =
      new StreamRegistry(new FakePresence(), properties, () -> 0, meters);
  private final PendingDeliveries expectations =
      new PendingDeliveries(
          registry,
          new DeliveryLedger() {
            @Override
            public void settle(Delivery delivery, End end) {
              settled.add(delivery.sequence() + " " + end);
            }

            @Override
            public void settleRange(Channel channel, long after, Cursor upTo) {
              settled.add("range " + after + "-" + upTo.sequence());
            }

            @Override
            public long outstanding() {
              return 0;
            }
          },
          properties,
          meters);

  private StreamConnection connect(long head) {
    StreamConnection connection =
        new StreamConnection(CHANNEL, null, "", properties, TestUpdates.memory(), "replica-1", 0);
    connection.writeWith(new SilentWriter());
    registry.add(connection);
    connection.catchUp(delta(head, 0), frames(delta(head, 0)), true);
    write(connection);
    return connection;
  }

  private void write(StreamConnection connection) {
    while (connection.nextWrite(0, false) != null) {
      expectations.flushed(connection.group(), connection.written());
    }
  }

  private Update expect(long sequence, long atMillis) {
    Update update = update(sequence);
    expectations.expect(
        Delivery.of(update, OWNER), registry.find(CHANNEL.value()), atMillis * MILLIS);
    return update;
  }

  private void offer(StreamConnection connection, Update update) {
    connection.offer(SseEncoder.update(update), update, true);
  }

  private void check(int times, long fromMillis) {
    for (int i = 0; i < times; i++) {
      expectations.check((fromMillis + 100L * i) * MILLIS);
    }
  }

  @Test
  void aFlushSettlesAllUpToItsSequenceOnce_whateverOtherTabsFlush() {
    StreamConnection one = connect(0);
    StreamConnection two = connect(0);
    for (long sequence = 1; sequence <= 3; sequence++) {
      Update update = expect(sequence, 0);
      offer(one, update);
      offer(two, update);
    }
    write(one);
    write(two);
    assertThat(settled).containsExactly("1 FLUSHED", "2 FLUSHED", "3 FLUSHED");
    assertThat(expectations.size()).isZero();
  }

  @Test
  void aFlushThatCoversMoreThanWasReceivedAsksForTheRest() {
    StreamConnection connection = connect(0);
    offer(connection, expect(1, 0));
    write(connection);
    settled.clear();
    // 2 and 3 were lost. 4 reveals the gap, and the read returns a later state.
    offer(connection, expect(4, 0));
    connection.catchUp(delta(4, 1, 4), frames(delta(4, 1, 4)), true);
    write(connection);
    assertThat(settled).containsExactly("4 FLUSHED", "range 1-4");
  }

  @Test
  void aReadThatMovesThePositionWithoutAnythingToWriteAlsoCovers() {
    StreamConnection connection = connect(1);
    connection.requireResync();
    connection.catchUp(delta(3, 1), frames(delta(3, 1)), true);
    expectations.flushed(connection.group(), connection.flushed());
    assertThat(settled).containsExactly("range 1-3");
  }

  @Test
  void whatIsStillInTheQueueIsNotFlushed() {
    StreamConnection connection = connect(0);
    offer(connection, expect(1, 0));
    expectations.flushed(connection.group(), connection.flushed());
    assertThat(settled).isEmpty();
    connection.nextWrite(0, false);
    expectations.flushed(connection.group(), connection.flushed());
    assertThat(settled).as("the write has not returned yet").isEmpty();
    expectations.flushed(connection.group(), connection.written());
    assertThat(settled).containsExactly("1 FLUSHED");
  }

  @Test
  void withoutAConnectionTheClientIsGone_butNotBeforeItsTime() {
    expect(1, 0);
    check(5, 0);
    assertThat(settled).isEmpty();
    check(1, 500);
    assertThat(settled).containsExactly("1 CLIENT_GONE");
    assertThat(expectations.size()).isZero();
  }

  @Test
  void aClientThatIsBackInTimeIsNotGone() {
    expect(1, 0);
    StreamConnection connection = connect(1);
    check(20, 400);
    write(connection);
    assertThat(settled).containsExactly("1 FLUSHED");
  }

  @Test
  void aClientThatWasClosedForBeingSlowIsSlow() {
    StreamConnection connection = connect(0);
    expect(1, 0);
    registry.close(connection, CloseReason.SLOW_CONSUMER);
    check(1, 500);
    assertThat(settled).containsExactly("1 SLOW_CONSUMER");
  }

  @Test
  void aSocketThatTakesNothingDuringSeveralLooksIsSlow() {
    StreamConnection connection = connect(0);
    offer(connection, expect(1, 0));
    connection.nextWrite(0, false);
    check(4, 500);
    assertThat(settled).isEmpty();
    check(1, 900);
    assertThat(settled).containsExactly("1 SLOW_CONSUMER");
  }

  @Test
  void aPauseOfThisProcessIsNotTheClientsFault() {
    StreamConnection connection = connect(0);
    offer(connection, expect(1, 0));
    connection.nextWrite(0, false);
    check(2, 30_000);
    assertThat(settled).isEmpty();
  }

  @Test
  void aSocketThatTakesTooFewBytesIsSlowInTheEnd() {
    StreamConnection connection = connect(0);
    expect(50, 0);
    offer(connection, update(1));
    connection.nextWrite(0, false);
    for (int i = 0; i < 19; i++) {
      // Each check finds a write in progress, and each time another one.
      offer(connection, update(2 + i));
      check(1, 500 + 100L * i);
      connection.written();
      connection.nextWrite(0, false);
    }
    assertThat(settled).isEmpty();
    check(1, 2_500);
    assertThat(settled).containsExactly("50 SLOW_CONSUMER");
  }

  @Test
  void aConnectionThatIsHeldOrBehindInOurQueueWaits_andIsForgottenAfterItHasExpired() {
    StreamConnection connection = connect(0);
    connection.requireResync();
    offer(connection, expect(1, 0));
    check(50, 500);
    assertThat(settled).isEmpty();
    assertThat(expectations.size()).isEqualTo(1);
    check(1, 6_000);
    assertThat(settled).isEmpty();
    assertThat(expectations.size()).isZero();
  }

  @Test
  void nothingOfAnotherEpochOrTermIsSettled() {
    StreamConnection connection = connect(0);
    Update old = update(OTHER_EPOCH, 1);
    expectations.expect(Delivery.of(old, OWNER), connection.group(), 0);
    Update later = update(2).readIn(EPOCH, "0a1b2c3d4e5f");
    expectations.expect(Delivery.of(later, OWNER), connection.group(), 0);
    offer(connection, expect(3, 0));
    connection.catchUp(delta(3, 0, 3), frames(delta(3, 0, 3)), true);
    write(connection);
    assertThat(settled).contains("3 FLUSHED").doesNotContain("1 FLUSHED", "2 FLUSHED");
    assertThat(EPOCH).isNotEqualTo(OTHER_EPOCH);
  }

  @Test
  void moreThanFitsIsCountedAndLeftToTheLedger() {
    for (long sequence = 1; sequence <= 1_001; sequence++) {
      expect(sequence, 0);
    }
    assertThat(expectations.size()).isEqualTo(1_000);
    assertThat(meters.get("lastmile.deliveries.pending.overflow").counter().count()).isEqualTo(1);
  }
}
