package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CommandBatcherTest {
  private final Queue<Runnable> loop = new ArrayDeque<>();
  private final Queue<Runnable> later = new ArrayDeque<>();
  private final AtomicInteger flushes = new AtomicInteger();
  private Runnable meanwhile = () -> {};
  private final CommandBatcher batcher =
      new CommandBatcher(
          loop::add,
          later::add,
          () -> {
            flushes.incrementAndGet();
            meanwhile.run();
          });

  @Test
  void eachLeavesAtOnce_whereThereAreFew() {
    for (int i = 1; i < CommandBatcher.LOAD; i++) {
      request(1);
      runAll(loop);
      assertThat(flushes).hasValue(i);
    }
    assertThat(later).as("intervals under way").hasSize(1);
  }

  @Test
  void nothingRuns_afterAnIntervalWithoutAny() {
    request(2);
    runAll(loop);
    runAll(later);

    assertThat(later).isEmpty();
    request(1);
    runAll(loop);
    assertThat(flushes).as("the next leaves at once").hasValue(2);
  }

  @Test
  void whatComesUnderLoadLeavesTogether_atTheEndOfTheInterval() {
    load();
    request(2);
    assertThat(loop).as("nobody is woken").isEmpty();

    runAll(later);
    assertThat(flushes).hasValue(2);
  }

  @Test
  void loadIsSeen_alsoInWhatHasLeftAtOnce() {
    for (int i = 0; i <= CommandBatcher.LOAD; i++) {
      request(1);
      runAll(loop);
    }
    runAll(later);
    int before = flushes.get();

    request(1);
    assertThat(loop).isEmpty();
    runAll(later);
    assertThat(flushes).hasValue(before + 1);
  }

  @Test
  void eachLeavesAtOnceAgain_whenTheLoadIsOver() {
    load();
    request(CommandBatcher.LOAD - 1);
    runAll(later);

    request(1);
    runAll(loop);
    assertThat(flushes).hasValue(3);
  }

  @Test
  void enoughLeaveBeforeTheEndOfTheInterval_eachTime() {
    load();
    for (int batch = 1; batch <= 3; batch++) {
      request(CommandBatcher.BATCH - 1);
      assertThat(loop).isEmpty();
      request(1);
      runAll(loop);
      assertThat(flushes).hasValue(1 + batch);
    }
    assertThat(later).as("intervals under way").hasSize(1);
    runAll(later);
    assertThat(flushes).as("nothing is left for its end").hasValue(4);
  }

  @Test
  void allThatWaitsLeavesAtOnce_whenAThreadWaits() {
    load();
    request(2);
    batcher.flushNow();
    runAll(loop);
    assertThat(flushes).hasValue(2);

    batcher.flushNow();
    assertThat(loop).as("nothing to flush").isEmpty();
  }

  @Test
  void whatComesWhileAFlushRuns_leavesAtTheEndOfTheInterval() {
    load();
    meanwhile =
        () -> {
          meanwhile = () -> {};
          request(1);
        };
    request(CommandBatcher.BATCH);
    runAll(loop);
    assertThat(flushes).hasValue(2);
    assertThat(loop).isEmpty();

    runAll(later);
    assertThat(flushes).hasValue(3);
  }

  @Test
  void intervalsGoOn_whenAFlushFails() {
    meanwhile =
        () -> {
          meanwhile = () -> {};
          throw new IllegalStateException("for the test");
        };
    assertThatThrownBy(this::load).isInstanceOf(IllegalStateException.class);

    request(1);
    runAll(later);
    assertThat(flushes).hasValue(2);
  }

  /** Enough come at once for the next ones to wait. */
  private void load() {
    request(CommandBatcher.LOAD);
    runAll(loop);
  }

  private void request(int times) {
    for (int i = 0; i < times; i++) {
      batcher.request();
    }
  }

  private static void runAll(Queue<Runnable> tasks) {
    List<Runnable> now = new ArrayList<>(tasks);
    tasks.clear();
    now.forEach(Runnable::run);
  }
}
