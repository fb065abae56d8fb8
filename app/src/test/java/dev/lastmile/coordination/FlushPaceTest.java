package dev.lastmile.coordination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FlushPaceTest {
  private final Queue<Runnable> loop = new ArrayDeque<>();
  private final Queue<Runnable> later = new ArrayDeque<>();
  private final AtomicInteger flushes = new AtomicInteger();
  private final FlushPace pace = new FlushPace(loop::add, later::add, flushes::incrementAndGet);

  @Test
  void theFirstLeavesAtOnce() {
    pace.request();
    runAll(loop);

    assertThat(flushes).hasValue(1);
  }

  @Test
  void whatFollowsLeavesTogether_atTheEndOfTheInterval() {
    pace.request();
    runAll(loop);
    pace.request();
    pace.request();
    assertThat(loop).as("nobody is woken").isEmpty();

    endInterval();
    assertThat(flushes).hasValue(2);
  }

  @Test
  void enoughLeaveBeforeTheEndOfTheInterval() {
    pace.request();
    runAll(loop);
    for (int i = 1; i < FlushPace.ENOUGH; i++) {
      pace.request();
    }
    assertThat(loop).isEmpty();
    pace.request();
    runAll(loop);
    assertThat(flushes).hasValue(2);

    // The interval goes on, and its end has nothing to do.
    assertThat(later).hasSize(1);
    endInterval();
    assertThat(flushes).hasValue(2);
  }

  @Test
  void theNextLeavesAtOnce_afterAnIntervalWithoutAny() {
    pace.request();
    runAll(loop);
    endInterval();
    assertThat(later).as("nothing runs while nothing waits").isEmpty();

    pace.request();
    runAll(loop);
    assertThat(flushes).hasValue(2);
  }

  @Test
  void whatComesWhileAFlushRuns_leavesAtTheEndOfTheInterval() {
    Queue<Runnable> meanwhile = new ArrayDeque<>();
    FlushPace busy =
        new FlushPace(
            loop::add,
            later::add,
            () -> {
              flushes.incrementAndGet();
              runAll(meanwhile);
            });
    meanwhile.add(busy::request);

    busy.request();
    runAll(loop);
    assertThat(flushes).hasValue(1);
    assertThat(loop).isEmpty();

    endInterval();
    assertThat(flushes).hasValue(2);
  }

  @Test
  void enoughLeaveEarlyEachTime() {
    pace.request();
    runAll(loop);
    for (int batch = 0; batch < 3; batch++) {
      for (int i = 0; i < FlushPace.ENOUGH; i++) {
        pace.request();
      }
      runAll(loop);
    }

    assertThat(flushes).hasValue(4);
    assertThat(later).as("intervals under way").hasSize(1);
  }

  private void endInterval() {
    runAll(later);
  }

  private static void runAll(Queue<Runnable> tasks) {
    List<Runnable> now = new ArrayList<>(tasks);
    tasks.clear();
    now.forEach(Runnable::run);
  }
}
