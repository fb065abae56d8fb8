package dev.lastmile.streams;

import static dev.lastmile.streams.TestUpdates.CHANNEL;
import static dev.lastmile.streams.TestUpdates.EPOCH;
import static dev.lastmile.streams.TestUpdates.OTHER_EPOCH;
import static dev.lastmile.streams.TestUpdates.TERM;
import static dev.lastmile.streams.TestUpdates.at;
import static dev.lastmile.streams.TestUpdates.delta;
import static dev.lastmile.streams.TestUpdates.frames;
import static dev.lastmile.streams.TestUpdates.large;
import static dev.lastmile.streams.TestUpdates.update;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.streams.StreamConnection.Offer;
import dev.lastmile.streams.StreamConnection.Progress;
import dev.lastmile.streams.StreamConnection.Tick;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Delta.ResetReason;
import dev.lastmile.updates.Update;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Positions, gaps, holds: what a client may see, in every order in which things can happen. */
class StreamConnectionTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final StreamMemory memory = TestUpdates.memory();
  private StreamConnection connection = connect(null);

  private StreamConnection connect(Cursor resume) {
    return connect(resume, TestUpdates.properties(16, 100_000, 8));
  }

  private StreamConnection connect(Cursor resume, StreamProperties properties) {
    return new StreamConnection(CHANNEL, resume, "", properties, memory, "replica-1", 0);
  }

  private Offer offer(Update update) {
    return connection.offer(SseEncoder.update(update), update, true);
  }

  private Progress catchUp(Delta delta) {
    return connection.catchUp(delta, frames(delta), true);
  }

  /** Everything that would be on the wire now, one word per event. */
  private List<String> sent() {
    StringBuilder text = new StringBuilder();
    for (ByteBuffer b = connection.nextWrite(0, false);
        b != null;
        b = connection.nextWrite(0, false)) {
      text.append(UTF_8.decode(b));
      connection.written();
    }
    List<String> events = new ArrayList<>();
    for (String event : text.toString().split("\n\n")) {
      String id = event.replaceAll("(?s).*id: \\w+-(\\d+)-.*", "$1");
      if (event.contains("event: update")) {
        events.add(event.contains("id: ") ? id : "no-id");
      } else if (event.contains("event: ")) {
        events.add(event.replaceAll("(?s).*event: (\\w+)\\n.*", "$1"));
      }
    }
    return events;
  }

  @Test
  void nothingIsSentBeforeStateHasBeenRead() {
    assertThat(offer(update(1))).isEqualTo(Offer.NOTHING);
    assertThat(sent()).isEmpty();
    assertThat(connection.awaitsRead()).isTrue();
  }

  @Test
  void readyThenReplayThenHeldThenLive() {
    offer(update(3));
    offer(update(4));
    assertThat(catchUp(delta(3, 0, 1, 3))).isEqualTo(Progress.LIVE);
    assertThat(offer(update(5))).isEqualTo(Offer.QUEUED);
    assertThat(sent()).containsExactly("ready", "1", "3", "4", "5");
  }

  @Test
  void whatIsKnownIsNotSentAgain() {
    catchUp(delta(3, 0, 1, 3));
    assertThat(offer(update(2))).isEqualTo(Offer.NOTHING);
    assertThat(offer(update(3))).isEqualTo(Offer.NOTHING);
    assertThat(sent()).containsExactly("ready", "1", "3");
  }

  @Test
  void aHoleIsRepairedBeforeAnythingAfterItIsSent() {
    catchUp(delta(1, 0, 1));
    assertThat(offer(update(3))).isEqualTo(Offer.GAP);
    assertThat(offer(update(4))).isEqualTo(Offer.NOTHING);
    assertThat(sent()).containsExactly("ready", "1");
    assertThat(catchUp(delta(3, 1, 2, 3))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("2", "3", "4");
  }

  @Test
  void aHoleThatTheReadDoesNotCoverIsReadAgain() {
    catchUp(delta(1, 0, 1));
    assertThat(offer(update(3))).isEqualTo(Offer.GAP);
    offer(update(5));
    // The read came before sequence 4 was stored.
    assertThat(catchUp(delta(3, 1, 2, 3))).isEqualTo(Progress.AGAIN);
    assertThat(connection.awaitsRead()).isTrue();
    assertThat(catchUp(delta(5, 3, 4, 5))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("ready", "1", "2", "3", "4", "5");
  }

  @Test
  void afterAReadThePositionIsTheHeadAlsoWhereSequencesHaveGaps() {
    catchUp(delta(9, 0, 4, 7));
    assertThat(offer(update(10))).isEqualTo(Offer.QUEUED);
    assertThat(sent()).containsExactly("ready", "4", "7", "10");
  }

  @Test
  void heldUpdatesBeyondTheirBoundAreDiscardedAndReadInstead() {
    connection = connect(null, TestUpdates.properties(16, 100_000, 2));
    offer(update(1));
    offer(update(2));
    offer(update(3));
    assertThat(catchUp(delta(1, 0, 1))).isEqualTo(Progress.AGAIN);
    assertThat(catchUp(delta(3, 1, 2, 3))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("ready", "1", "2", "3");
  }

  @Test
  void aClientGoesOnFromItsCursor() {
    connection = connect(at(5));
    assertThat(connection.readFrom()).isEqualTo(at(5));
    catchUp(delta(7, 5, 6, 7));
    assertThat(sent()).containsExactly("ready", "6", "7");
  }

  @Test
  void aReadForAnotherTabDoesNotRepeatWhatThisOneHas() {
    connection = connect(at(5));
    catchUp(delta(7, 2, 3, 5, 6, 7));
    assertThat(sent()).containsExactly("ready", "6", "7");
  }

  @Test
  void aCursorAheadOfTheHeadIsReset() {
    connection = connect(at(50));
    catchUp(delta(7, 0, 6, 7));
    assertThat(sent()).containsExactly("ready", "reset", "6", "7");
    assertThat(connection.takeReset()).isEqualTo(ResetReason.AHEAD);
    assertThat(connection.takeReset()).as("counted once").isNull();
  }

  @Test
  void aCursorThatDoesNotFitNeedsEverything() {
    connection = connect(at(50));
    assertThat(catchUp(delta(7, 5, 6, 7))).isEqualTo(Progress.AGAIN);
    assertThat(connection.readFrom()).isNull();
    assertThat(sent()).isEmpty();
  }

  @Test
  void aCursorBelowWhatWasDeletedIsReset() {
    connection = connect(at(3));
    Delta delta = delta(EPOCH, 7, 4, 0, List.of(update(6), update(7)), true);
    catchUp(delta);
    assertThat(sent()).containsExactly("ready", "reset", "6", "7");
    assertThat(connection.takeReset()).isEqualTo(ResetReason.RETENTION);
  }

  @Test
  void anotherEpochIsReadAndResetsTheStream() {
    catchUp(delta(3, 0, 1, 2, 3));
    Update foreign = update(OTHER_EPOCH, 4);
    assertThat(offer(foreign)).isEqualTo(Offer.GAP);
    Delta delta = delta(OTHER_EPOCH, 4, 0, 0, List.of(update(OTHER_EPOCH, 2), foreign), true);
    assertThat(catchUp(delta)).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("ready", "1", "2", "3", "reset", "2", "4");
    assertThat(offer(update(OTHER_EPOCH, 5))).isEqualTo(Offer.QUEUED);
  }

  private static final String NEXT_TERM = "0a1b2c3d4e5f";

  private static Update inNextTerm(long sequence) {
    return update(sequence).readIn(EPOCH, NEXT_TERM);
  }

  /** A read after a failover: the channel left the term before at a sequence. */
  private static Delta afterFailover(long left, long head, long after, long... sequences) {
    List<Update> updates =
        LongStream.of(sequences).mapToObj(sequence -> inNextTerm(sequence)).toList();
    Map<String, Long> continuable = Map.of(TERM, left, NEXT_TERM, head);
    return new Delta(EPOCH, NEXT_TERM, continuable, head, 0, after, updates, true);
  }

  @Test
  void aFailoverThatLostNothingOfTheStream_goesOnWithoutAReset() {
    catchUp(delta(3, 0, 1, 2, 3));
    sent();
    assertThat(offer(inNextTerm(5))).as("first message of the new term").isEqualTo(Offer.GAP);
    assertThat(catchUp(afterFailover(3, 5, 3, 4, 5))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("4", "5");
    assertThat(connection.flushed().upTo()).isEqualTo(inNextTerm(5).cursor());
    assertThat(connection.flushed().continuedFrom()).isEqualTo(3);
    assertThat(offer(inNextTerm(6))).isEqualTo(Offer.QUEUED);
    assertThat(offer(update(7))).as("a late message of the old primary").isEqualTo(Offer.GAP);
  }

  @Test
  void aFailoverThatLostWhatTheStreamHasDelivered_resetsIt() {
    catchUp(delta(3, 0, 1, 2, 3));
    sent();
    assertThat(offer(inNextTerm(4))).isEqualTo(Offer.GAP);
    assertThat(catchUp(afterFailover(2, 4, 2, 3, 4)))
        .as("of those before")
        .isEqualTo(Progress.AGAIN);
    assertThat(connection.readFrom()).isNull();
    assertThat(catchUp(afterFailover(2, 4, 0, 1, 2, 3, 4))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("reset", "1", "2", "3", "4");
    assertThat(connection.flushed().continuedFrom()).as("all of it is delivered again").isZero();
  }

  /** An operation that comes later in the read may be missing. */
  @Test
  void aFailoverBetweenTwoPages_resetsTheStream() {
    catchUp(delta(EPOCH, 9, 0, 0, List.of(update(1), update(2)), false));
    assertThat(sent()).containsExactly("ready", "1", "2");
    assertThat(catchUp(afterFailover(9, 9, 2, 8, 9))).isEqualTo(Progress.AGAIN);
    assertThat(catchUp(afterFailover(9, 9, 0, 1, 2, 8, 9))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("reset", "1", "2", "8", "9");
  }

  @Test
  void theIdsOfAReadArePartial_upToTheLastOne() {
    List<Frame> frames = frames(delta(9, 0, 4, 9));
    assertThat(frames)
        .extracting(StreamConnectionTest::id)
        .satisfiesExactly(
            id -> assertThat(id).startsWith(EPOCH + "-4-" + TERM + "p."),
            id -> assertThat(id).startsWith(EPOCH + "-9-" + TERM + "."));
    Delta page = delta(EPOCH, 9, 0, 0, List.of(update(4)), false);
    assertThat(id(frames(page).getFirst())).startsWith(EPOCH + "-4-" + TERM + "p.");
    assertThat(id(SseEncoder.update(update(10)))).startsWith(EPOCH + "-10-" + TERM + ".");
  }

  private static String id(Frame frame) {
    return UTF_8
        .decode(frame.view(false))
        .toString()
        .lines()
        .findFirst()
        .orElseThrow()
        .substring(4);
  }

  @Test
  void anUpdateWithTheSameSequenceInAnotherTerm_isAnotherUpdate() {
    catchUp(delta(3, 0, 3));
    sent();
    assertThat(connection.hasFlushed(at(3))).isTrue();
    assertThat(connection.hasFlushed(inNextTerm(3).cursor())).isFalse();
    assertThat(offer(inNextTerm(3))).isEqualTo(Offer.GAP);
  }

  @Test
  void aLateMessageOfTheOldEpochCostsOneReadAndIsNotTakenForANewOne() {
    Delta renewed = delta(OTHER_EPOCH, 4, 0, 0, List.of(), true);
    catchUp(renewed);
    assertThat(offer(update(EPOCH, 5))).isEqualTo(Offer.GAP);
    assertThat(catchUp(renewed)).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("ready");
  }

  @Test
  void heldMessagesOfTheOldEpochCostOneMoreRead() {
    offer(update(EPOCH, 12));
    offer(update(EPOCH, 13));
    Delta renewed = delta(OTHER_EPOCH, 4, 0, 0, List.of(), true);
    assertThat(catchUp(renewed)).isEqualTo(Progress.AGAIN);
    assertThat(catchUp(renewed)).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("ready");
  }

  @Test
  void aSuspicionDuringAReadAsksForAnotherOne() {
    catchUp(delta(1, 0, 1));
    connection.requireResync();
    // A read is under way; then the subscription breaks, and 2 is published unheard.
    connection.requireResync();
    assertThat(catchUp(delta(1, 1))).isEqualTo(Progress.AGAIN);
    assertThat(catchUp(delta(2, 1, 2))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("ready", "1", "2");
  }

  @Test
  void pagesFollowEachOtherWhenTheyHaveBeenWritten() {
    offer(update(5));
    Delta page = delta(EPOCH, 4, 0, 0, List.of(update(1), update(2)), false);
    assertThat(catchUp(page)).isEqualTo(Progress.PAGE);
    assertThat(connection.awaitsRead()).isFalse();
    assertThat(sent()).containsExactly("ready", "1", "2");
    assertThat(connection.awaitsPage()).isTrue();
    assertThat(connection.readFrom()).isEqualTo(at(2).within());
    assertThat(catchUp(delta(4, 2, 4))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("4", "5");
  }

  @Test
  void aPageMayEndBelowWhatWasDeleted() {
    Delta page = delta(EPOCH, 9, 8, 0, List.of(update(1), update(2)), false);
    assertThat(catchUp(page)).isEqualTo(Progress.PAGE);
    assertThat(sent()).containsExactly("ready", "1", "2");
    assertThat(connection.isPaging()).isTrue();
    Delta rest = delta(EPOCH, 9, 8, 2, List.of(update(3), update(9)), true);
    assertThat(catchUp(rest)).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("3", "9");
  }

  @Test
  void withoutRepairTheCursorStaysBeforeTheHole() {
    catchUp(delta(1, 0, 1));
    Update third = update(3);
    assertThat(connection.offer(SseEncoder.update(third), third, false)).isEqualTo(Offer.QUEUED);
    Update second = update(2);
    assertThat(connection.offer(SseEncoder.update(second), second, false)).isEqualTo(Offer.QUEUED);
    assertThat(sent()).containsExactly("ready", "1", "no-id", "2");
  }

  @Test
  void aSuspectedConnectionStaysSilentUntilItHasBeenReadFor() {
    catchUp(delta(1, 0, 1));
    connection.requireResync();
    assertThat(offer(update(2))).isEqualTo(Offer.NOTHING);
    assertThat(catchUp(delta(1, 1))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("ready", "1", "2");
  }

  @Test
  void aReaderThatStopsFillsItsQueue() {
    connection = connect(null, TestUpdates.properties(3, 100_000, 8));
    catchUp(delta(0, 0));
    assertThat(offer(update(1))).isEqualTo(Offer.QUEUED);
    assertThat(offer(update(2))).isEqualTo(Offer.QUEUED);
    assertThat(offer(update(3))).isEqualTo(Offer.FULL);
  }

  @Test
  void aWriteThatTakesTooLongIsSlow() {
    catchUp(delta(1, 0, 1));
    connection.nextWrite(5 * SECOND, false);
    assertThat(connection.tick(14 * SECOND, 0)).isNotEqualTo(Tick.SLOW);
    assertThat(connection.tick(15 * SECOND, 0)).isEqualTo(Tick.SLOW);
  }

  @Test
  void timeInWhichThisProcessStoodStillIsNotTheReadersFault() {
    catchUp(delta(1, 0, 1));
    connection.nextWrite(5 * SECOND, false);
    assertThat(connection.tick(35 * SECOND, 29 * SECOND)).isNotEqualTo(Tick.SLOW);
    assertThat(connection.tick(44 * SECOND, 0)).isEqualTo(Tick.SLOW);
  }

  @Test
  void anUpdateThatFoundTheQueueFullWasNotHandedOver() {
    connection = connect(null, TestUpdates.properties(2, 100_000, 8));
    catchUp(delta(0, 0));
    sent();
    assertThat(offer(update(1))).isEqualTo(Offer.QUEUED);
    assertThat(offer(update(2))).isEqualTo(Offer.QUEUED);
    assertThat(offer(update(3))).isEqualTo(Offer.FULL);
    sent();
    assertThat(connection.flushed().upTo()).isEqualTo(at(2));
    assertThat(offer(update(3))).isEqualTo(Offer.QUEUED);
  }

  @Test
  void aPageAndWhatWasHeldThatDoNotFitTogetherAreReadOneAfterTheOther() {
    connection = connect(null, TestUpdates.properties(4, 100_000, 8));
    for (long sequence = 4; sequence <= 6; sequence++) {
      offer(update(sequence));
    }
    assertThat(catchUp(delta(3, 0, 2, 3))).isEqualTo(Progress.PAGE);
    assertThat(sent()).containsExactly("ready", "2", "3", "4");
    assertThat(connection.awaitsPage()).isTrue();
    assertThat(catchUp(delta(6, 4, 5, 6))).isEqualTo(Progress.LIVE);
    assertThat(sent()).containsExactly("5", "6");
  }

  @Test
  void heartbeatsCarryThePosition() {
    catchUp(delta(9, 0, 4));
    sent();
    assertThat(connection.tick(9 * SECOND, 0)).isEqualTo(Tick.NOTHING);
    assertThat(connection.tick(10 * SECOND, 0)).isEqualTo(Tick.HEARTBEAT);
    assertThat(UTF_8.decode(connection.nextWrite(0, false)).toString())
        .matches(
            "event: heartbeat\ndata: \\{\"cursor\":\"" + EPOCH + "-9-" + TERM + "\\.\\w{8}\"}\n\n");
  }

  @Test
  void closedForTheFirstReasonOnly() {
    assertThat(connection.close(CloseReason.SLOW_CONSUMER)).isTrue();
    assertThat(connection.close(CloseReason.CLIENT_GONE)).isFalse();
    assertThat(offer(update(1))).isEqualTo(Offer.NOTHING);
    assertThat(catchUp(delta(1, 0, 1))).isEqualTo(Progress.LIVE);
    assertThat(sent()).isEmpty();
  }

  @Test
  void withoutMemoryALargeUpdateIsLeftOut_andReadWhenThereIsRoom() {
    catchUp(delta(1, 0, 1));
    StreamMemory.Share other = memory.share();
    other.set(200_000);
    assertThat(offer(update(2))).as("small").isEqualTo(Offer.QUEUED);
    assertThat(offer(large(3))).isEqualTo(Offer.GAP);
    assertThat(connection.awaitsRead()).isTrue();
    assertThat(offer(update(4))).isEqualTo(Offer.NOTHING);
    other.set(0);
    assertThat(catchUp(delta(4, 2, 3, 4))).as("one was discarded").isEqualTo(Progress.AGAIN);
    assertThat(catchUp(delta(4, 4))).isEqualTo(Progress.LIVE);
    assertThat(offer(large(5))).isEqualTo(Offer.QUEUED);
  }

  @Test
  void withoutMemoryAWriteHasOneSecond() {
    catchUp(delta(1, 0, 1));
    connection.nextWrite(0, true);
    assertThat(connection.tick(2 * SECOND, 0)).isEqualTo(Tick.NOTHING);
    StreamMemory.Share other = memory.share();
    other.set(200_000);
    assertThat(connection.tick(2 * SECOND, 0)).isEqualTo(Tick.SLOW);
  }

  @Test
  void aPostponedReadContainsWhatWasDiscarded() {
    offer(large(1));
    connection.discardHeld();
    assertThat(catchUp(delta(1, 0, 1))).isEqualTo(Progress.LIVE);
  }

  @Test
  void memoryOfAClosedStreamIsReleased() {
    connection = connect(null, TestUpdates.properties(100, 1_000_000, 100));
    catchUp(delta(0, 0));
    for (int sequence = 1; !memory.isFull(); sequence++) {
      assertThat(offer(large(sequence))).isEqualTo(Offer.QUEUED);
    }
    connection.close(CloseReason.CLIENT_GONE);
    assertThat(memory.isFull()).isFalse();
  }

  @Test
  void heldUpdatesAreBoundedInBytesToo() {
    connection = connect(null, TestUpdates.properties(100, 12_000, 100));
    offer(large(1));
    offer(large(2));
    assertThat(connection.queuedBytes()).isBetween(10_000, 12_000);
    offer(large(3));
    assertThat(connection.queuedBytes()).isBetween(5_000, 6_000);
    assertThat(catchUp(delta(3, 0, 1, 2, 3)))
        .as("updates were discarded")
        .isEqualTo(Progress.AGAIN);
  }
}
