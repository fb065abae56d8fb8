package dev.lastmile.connections;

import static dev.lastmile.connections.TestUpdates.CHANNEL;
import static dev.lastmile.connections.TestUpdates.EPOCH;
import static dev.lastmile.connections.TestUpdates.OTHER_EPOCH;
import static dev.lastmile.connections.TestUpdates.delta;
import static dev.lastmile.connections.TestUpdates.frames;
import static dev.lastmile.connections.TestUpdates.update;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Delivery;
import dev.lastmile.updates.Update;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What was expected of a replica ends once, as what it was, whoever looks first. */
class ExpectationsTest {
  private static final long MILLIS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final String OWNER = "replica-1~00000000.0";

  private final List<String> settled = new ArrayList<>();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final StreamProperties properties = TestUpdates.properties(16, 100_000, 8);
  private final Registry registry = new Registry(new FakePresence(), properties, () -> 0, meters);
  private final Expectations expectations =
      new Expectations(
          registry,
          new Deliveries() {
            @Override
            public void settle(Delivery delivery, End end) {
              settled.add(delivery.sequence() + " " + end);
            }

            @Override
            public void settleRange(Channel channel, String epoch, long after, long upTo) {
              settled.add("range " + after + "-" + upTo);
            }

            @Override
            public long outstanding() {
              return 0;
            }
          },
          properties,
          meters);

  private Connection connect(long head) {
    Connection connection = new Connection(CHANNEL, null, properties, "replica-1", 0);
    connection.writeWith(
        new Writer() {
          @Override
          public void flush() {}

          @Override
          public void end() {}

          @Override
          public void abort() {}

          @Override
          public void refuse() {}
        });
    registry.add(connection);
    connection.catchUp(delta(head, 0), frames(delta(head, 0)), true);
    write(connection);
    return connection;
  }

  private void write(Connection connection) {
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

  private void offer(Connection connection, Update update) {
    connection.offer(SseEncoder.update(update), update, true);
  }

  private void look(int times, long fromMillis) {
    for (int i = 0; i < times; i++) {
      expectations.look((fromMillis + 100L * i) * MILLIS);
    }
  }

  @Test
  void aFlushSettlesAllUpToItsSequenceOnce_whateverOtherTabsFlush() {
    Connection one = connect(0);
    Connection two = connect(0);
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
    Connection connection = connect(0);
    offer(connection, expect(1, 0));
    write(connection);
    settled.clear();
    // 2 and 3 were lost; 4 shows it, and the read brings a later state.
    offer(connection, expect(4, 0));
    connection.catchUp(delta(4, 1, 4), frames(delta(4, 1, 4)), true);
    write(connection);
    assertThat(settled).containsExactly("4 FLUSHED", "range 1-4");
  }

  @Test
  void aReadThatMovesThePositionWithoutAnythingToWriteAlsoCovers() {
    Connection connection = connect(1);
    connection.suspect();
    connection.catchUp(delta(3, 1), frames(delta(3, 1)), true);
    expectations.flushed(connection.group(), connection.flushed());
    assertThat(settled).containsExactly("range 1-3");
  }

  @Test
  void whatIsStillInTheQueueIsNotFlushed() {
    Connection connection = connect(0);
    offer(connection, expect(1, 0));
    expectations.flushed(connection.group(), connection.flushed());
    assertThat(settled).isEmpty();
    connection.nextWrite(0, false);
    expectations.flushed(connection.group(), connection.flushed());
    assertThat(settled).as("the kernel has not said so yet").isEmpty();
    expectations.flushed(connection.group(), connection.written());
    assertThat(settled).containsExactly("1 FLUSHED");
  }

  @Test
  void withoutAConnectionTheClientIsGone_butNotBeforeItsTime() {
    expect(1, 0);
    look(5, 0);
    assertThat(settled).isEmpty();
    look(1, 500);
    assertThat(settled).containsExactly("1 CLIENT_GONE");
    assertThat(expectations.size()).isZero();
  }

  @Test
  void aClientThatIsBackInTimeIsNotGone() {
    expect(1, 0);
    Connection connection = connect(1);
    look(20, 400);
    write(connection);
    assertThat(settled).containsExactly("1 FLUSHED");
  }

  @Test
  void aClientThatWasClosedForBeingSlowIsSlow() {
    Connection connection = connect(0);
    expect(1, 0);
    registry.close(connection, DisconnectReason.SLOW_CONSUMER);
    look(1, 500);
    assertThat(settled).containsExactly("1 SLOW_CONSUMER");
  }

  @Test
  void aSocketThatTakesNothingDuringSeveralLooksIsSlow() {
    Connection connection = connect(0);
    offer(connection, expect(1, 0));
    connection.nextWrite(0, false);
    look(4, 500);
    assertThat(settled).isEmpty();
    look(1, 900);
    assertThat(settled).containsExactly("1 SLOW_CONSUMER");
  }

  @Test
  void aPauseOfThisProcessIsNotTheClientsFault() {
    Connection connection = connect(0);
    offer(connection, expect(1, 0));
    connection.nextWrite(0, false);
    look(2, 30_000);
    assertThat(settled).isEmpty();
  }

  @Test
  void aSocketThatTakesTooFewBytesIsSlowInTheEnd() {
    Connection connection = connect(0);
    expect(50, 0);
    offer(connection, update(1));
    connection.nextWrite(0, false);
    for (int i = 0; i < 19; i++) {
      // Each look finds a write under way, and each time another one.
      offer(connection, update(2 + i));
      look(1, 500 + 100L * i);
      connection.written();
      connection.nextWrite(0, false);
    }
    assertThat(settled).isEmpty();
    look(1, 2_500);
    assertThat(settled).containsExactly("50 SLOW_CONSUMER");
  }

  @Test
  void aConnectionThatIsHeldOrBehindInOurQueueWaits_andIsForgottenAfterItHasExpired() {
    Connection connection = connect(0);
    connection.suspect();
    offer(connection, expect(1, 0));
    look(50, 500);
    assertThat(settled).isEmpty();
    assertThat(expectations.size()).isEqualTo(1);
    look(1, 6_000);
    assertThat(settled).isEmpty();
    assertThat(expectations.size()).isZero();
  }

  @Test
  void nothingOfAnotherEpochIsSettled() {
    Connection connection = connect(0);
    Update old = update(OTHER_EPOCH, 1);
    expectations.expect(Delivery.of(old, OWNER), connection.group(), 0);
    offer(connection, expect(2, 0));
    connection.catchUp(delta(2, 0, 2), frames(delta(2, 0, 2)), true);
    write(connection);
    assertThat(settled).contains("2 FLUSHED").doesNotContain("1 FLUSHED");
    assertThat(EPOCH).isNotEqualTo(OTHER_EPOCH);
  }

  @Test
  void moreThanFitsIsCountedAndLeftToTheLedger() {
    for (long sequence = 1; sequence <= 1_001; sequence++) {
      expect(sequence, 0);
    }
    assertThat(expectations.size()).isEqualTo(1_000);
    assertThat(meters.get("delivery.expectations.overflow").counter().count()).isEqualTo(1);
  }
}
