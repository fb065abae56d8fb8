package dev.lastmile.benchmark;

import dev.lastmile.benchmark.Browsers.Learned;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One of three replicas is killed under acking clients and callbacks: the books of the service and
 * of the clients side by side, and when every client is right again.
 */
final class Kill implements Workload {
  private static final String GROUP = "kill of one of three replicas";
  private static final int VICTIM = 1;
  private static final int CALLERS = 48;
  private static final int SLOWER = 4;
  private static final Duration AFTER = Duration.ofSeconds(12);
  private static final Duration ACKS = Duration.ofSeconds(20);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final List<String> OUTCOMES =
      List.of(
          "expected",
          "delivered",
          "late",
          "client_gone",
          "slow_consumer",
          "not_received",
          "owner_gone");

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE);
  }

  @Override
  public void measure(Bench bench, String name) {
    int count = bench.options().streams();
    try (Lastmile candidate = Lastmile.spread(bench, 3);
        Callers callers = new Callers(CALLERS)) {
      candidate.start();
      candidate.prepare(count);
      Browsers browsers = new Browsers(candidate, callers, count);
      try (Streams streams =
          new Streams(count, browsers::stream, browsers, bench.options().readers())) {
        streams.openAll(bench.patience());
        Ticker.await(PATIENCE, () -> browsers.learned().acked() >= count);
        kill(new Scene(bench, candidate, callers, browsers, streams));
      }
    }
  }

  /** All that takes part. */
  private record Scene(
      Bench bench, Lastmile candidate, Callers callers, Browsers browsers, Streams streams) {
    void add(String title, String unit, String goal, double value) {
      bench.report().add(new Measure(GROUP, title, unit, "", goal), LASTMILE, value);
    }
  }

  private static void kill(Scene scene) {
    Books booksBefore = Books.read(scene.candidate().cluster().redis());
    Learned learnedBefore = scene.browsers().learned();
    AtomicLong taken = new AtomicLong();
    Orders orders = new Orders(scene, taken);
    orders.send(scene.bench().warmUp());
    long killed = Ticker.nanos();
    scene.candidate().parts().get(Cluster.name(VICTIM)).kill();
    scene.browsers().avoid(VICTIM);
    double recoveredBefore = scene.candidate().cluster().metric("delivery_recovered_total");
    orders.send(AFTER);
    boolean quiet =
        Ticker.await(
            PATIENCE,
            () ->
                orders.isQuiet()
                    && scene.browsers().areRight()
                    && Books.read(scene.candidate().cluster().redis()).outstanding() == 0);
    Ticker.await(ACKS, () -> scene.browsers().haveAcked());
    Books books = Books.read(scene.candidate().cluster().redis()).minus(booksBefore);
    Learned learned = scene.browsers().learned().minus(learnedBefore);
    scene.bench().say("%s; %s; %d callbacks taken; quiet: %b", books, learned, taken.get(), quiet);
    tell(scene, books, learned, taken.get());
    scene.add(
        "service: recovered, by replay or poll",
        "",
        "",
        scene.candidate().cluster().metric("delivery_recovered_total") - recoveredBefore);
    scene.add(
        "all streams are back after", "s", "", since(killed, scene.streams().lastReadyNanos()));
    scene.add(
        "no client is behind for more than 1 s after",
        "s",
        "",
        since(killed, scene.browsers().lastBehindNanos()));
    scene.add("clients wrong at the end", "", "0", scene.browsers().wrong());
    if (!quiet || !Books.read(scene.candidate().cluster().redis()).balance()) {
      throw new IllegalStateException("something is left: " + books);
    }
  }

  private static void tell(Scene scene, Books books, Learned learned, long taken) {
    scene.add("callbacks taken", "", "", taken);
    OUTCOMES.forEach(outcome -> scene.add("service: " + outcome, "", "", books.of(outcome)));
    scene.add("clients: learned live", "", "", learned.live());
    scene.add("clients: learned by replay", "", "", learned.replay());
    scene.add("clients: learned by poll", "", "", learned.poll());
    scene.add("clients: acks taken", "", "", learned.acked());
    scene.add("streams broken", "", "", scene.streams().broken());
  }

  private static double since(long killed, long then) {
    return Math.max(0, then - killed) / 1e9;
  }

  /** Callbacks for one browser after the other, each sent until a replica takes it. */
  private static final class Orders {
    private final Scene scene;
    private final AtomicLong taken;
    private final AtomicLong underWay = new AtomicLong();
    private int next;

    Orders(Scene scene, AtomicLong taken) {
      this.scene = scene;
      this.taken = taken;
    }

    void send(Duration time) {
      int count = scene.streams().size();
      double perSecond = Math.max(1, scene.bench().options().rate() / (double) SLOWER);
      long begun = Ticker.nanos();
      long end = begun + time.toNanos();
      for (int i = 0; Ticker.nanos() < end; i++) {
        Ticker.until(begun + (long) (i * 1e9 / perSecond));
        int channel = next % count;
        int revision = 1 + next / count;
        next++;
        underWay.incrementAndGet();
        scene
            .callers()
            .send(() ->
                scene
                    .candidate()
                    .callback(channel, revision, scene.browsers().anyReplica(), Ticker.nanos(), 0))
            .whenComplete((answer, _) -> {
              underWay.decrementAndGet();
              // A duplicate is one whose first answer was lost.
              if (answer != null
                  && (answer.body().contains("stored") || answer.body().contains("duplicate"))) {
                taken.incrementAndGet();
                scene.browsers().taken(channel);
              }
            });
      }
    }

    boolean isQuiet() {
      return underWay.get() == 0;
    }
  }
}
