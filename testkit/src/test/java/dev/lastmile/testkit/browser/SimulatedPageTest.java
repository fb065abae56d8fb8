package dev.lastmile.testkit.browser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.SimulatedPage.Counts;
import dev.lastmile.testkit.browser.SimulatedPage.Question;
import dev.lastmile.testkit.browser.SimulatedPage.Shown;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SimulatedPageTest {
  private static final String OLD = "00000000000000aa";
  private static final String TERM = "3f9a2c4b5d6e";
  private static final String NEW = "00000000000000bb";

  private final SimulatedPage page = new SimulatedPage();
  private Question stream;

  private static Place at(String epoch, long sequence) {
    return new Place(epoch, sequence, TERM, ".0");
  }

  private static Shown state(Place at, long version) {
    return new Shown(at, version, version < 9 ? "RUNNING" : "SUCCEEDED", Instant.EPOCH);
  }

  private void connect(Place head) {
    stream = page.ask();
    page.ready(stream, head);
  }

  private String update(String operation, Place at, long version) {
    return page.update(stream, operation, state(at, version), true);
  }

  private Map<String, Long> versions() {
    return page.shown().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().version()));
  }

  @Test
  void readyTellsReplayFromLive() {
    connect(at(OLD, 2));
    assertThat(update("a", at(OLD, 2), 2)).isEqualTo("replay");
    assertThat(update("a", at(OLD, 3), 3)).isEqualTo("live");
    assertThat(page.counts()).isEqualTo(new Counts(1, 1, 0, 0));
    assertThat(page.ask().after()).isEqualTo(at(OLD, 3).toString());
  }

  @Test
  void anUpdateWithoutIdDoesNotMoveTheCursor() {
    connect(at(OLD, 0));
    update("a", at(OLD, 1), 1);
    page.update(stream, "a", state(at(OLD, 5), 4), false);
    assertThat(versions()).containsEntry("a", 4L);
    assertThat(page.ask().after()).isEqualTo(at(OLD, 1).toString());
  }

  @Test
  void whatIsKnownAlreadyCountsOnce() {
    connect(at(OLD, 0));
    Question list = page.ask();
    page.list(list, at(OLD, 1), false, Map.of("a", state(at(OLD, 1), 1)));
    assertThat(update("a", at(OLD, 1), 1)).as("acked all the same").isEqualTo("live");
    assertThat(page.counts()).isEqualTo(new Counts(0, 0, 1, 0));
  }

  @Test
  void anAnswerBelowWhatWasKnownBeforeItWasAskedIsAStepBack() {
    connect(at(OLD, 0));
    update("a", at(OLD, 3), 3);
    update("a", at(OLD, 4), 2);
    assertThat(page.counts().wentBack()).as("on the stream").isEqualTo(1);
    page.list(page.ask(), at(OLD, 4), false, Map.of("a", state(at(OLD, 4), 1)));
    assertThat(page.counts().wentBack()).as("in a list").isEqualTo(2);
    assertThat(versions()).as("and shows nothing of it").containsEntry("a", 3L);
  }

  @Test
  void aListThatWasReadBeforeTheStreamWentOnIsNoStepBack() {
    connect(at(OLD, 0));
    Question list = page.ask();
    update("a", at(OLD, 2), 2);
    page.list(list, at(OLD, 1), false, Map.of("a", state(at(OLD, 1), 1)));
    assertThat(page.counts().wentBack()).isZero();
    assertThat(page.ask().after()).isEqualTo(at(OLD, 2).toString());
  }

  @Test
  void afterAResetWhatDoesNotComeAgainIsForgotten_andLowerVersionsReplace() {
    connect(at(OLD, 0));
    update("a", at(OLD, 1), 5);
    update("b", at(OLD, 2), 5);
    update("c", at(OLD, 3), 5);
    page.reset(stream, at(NEW, 7));
    assertThat(page.ask().after()).as("nowhere to resume from").isEmpty();
    assertThat(versions()).as("stays until it is replaced").hasSize(3);
    assertThat(update("a", at(NEW, 4), 2)).isEqualTo("replay");
    assertThat(update("b", at(NEW, 7), 2)).isEqualTo("replay");
    assertThat(versions()).isEqualTo(Map.of("a", 2L, "b", 2L));
    assertThat(update("b", at(NEW, 8), 3)).isEqualTo("live");
    assertThat(update("c", at(OLD, 4), 6)).as("late").isNull();
    assertThat(page.counts().wentBack()).isZero();
  }

  @Test
  void aResetToNothingForgetsAll_andAHeartbeatEndsOneWhoseHeadWasDeleted() {
    connect(at(OLD, 0));
    update("a", at(OLD, 1), 5);
    page.reset(stream, at(NEW, 0));
    assertThat(versions()).isEmpty();
    update("a", at(NEW, 1), 1);
    page.reset(stream, at(NEW, 4));
    page.stands(at(NEW, 3));
    assertThat(versions()).hasSize(1);
    page.stands(at(NEW, 4));
    assertThat(versions()).isEmpty();
  }

  @Test
  void aStreamCutWithinAResetGoesOnWithIt() {
    connect(at(OLD, 0));
    update("a", at(OLD, 1), 5);
    update("b", at(OLD, 2), 5);
    page.reset(stream, at(NEW, 3));
    connect(at(NEW, 3));
    update("b", at(NEW, 3), 1);
    assertThat(versions()).isEqualTo(Map.of("b", 1L));
  }

  @Test
  void aListWithResetReplaces_exceptWhatTheStreamBroughtSince() {
    connect(at(OLD, 0));
    update("a", at(OLD, 1), 5);
    update("b", at(OLD, 2), 5);
    Question list = page.ask();
    update("c", at(OLD, 4), 1);
    page.list(list, at(OLD, 3), true, Map.of("b", state(at(OLD, 3), 5)));
    assertThat(versions()).isEqualTo(Map.of("b", 5L, "c", 1L));
    list = page.ask();
    page.list(list, at(NEW, 1), true, Map.of("b", state(at(NEW, 1), 1)));
    assertThat(versions()).isEqualTo(Map.of("b", 1L));
    assertThat(page.counts().wentBack()).isZero();
  }

  @Test
  void aListForAPageThatWasReplacedMeanwhileIsDropped() {
    connect(at(OLD, 0));
    update("a", at(OLD, 1), 5);
    Question list = page.ask();
    page.reset(stream, at(NEW, 0));
    assertThat(page.list(list, at(OLD, 2), false, Map.of("a", state(at(OLD, 2), 6)))).isNull();
    assertThat(versions()).isEmpty();
  }

  @Test
  void whatWasCreatedIsPendingUntilItIsShownAsFinal() {
    assertThat(page.isPending()).isFalse();
    page.created("a");
    connect(at(OLD, 0));
    assertThat(page.isPending()).isTrue();
    update("a", at(OLD, 1), 1);
    assertThat(page.isPending()).isTrue();
    update("a", at(OLD, 2), 9);
    assertThat(page.isPending()).isFalse();
  }
}
