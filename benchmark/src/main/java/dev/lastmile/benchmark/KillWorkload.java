package dev.lastmile.benchmark;

import dev.lastmile.benchmark.Browsers.Learned;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Kills one of three replicas under acking clients and callbacks. Compares the service's ledger
 * with the clients' counts, and measures when every client shows the stored state again.
 */
final class KillWorkload implements Workload {
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
    try (LastmileCandidate candidate = LastmileCandidate.spread(bench, 3);
        Callers callers = new Callers(CALLERS)) {
      candidate.start();
      candidate.prepare(count);
      Browsers browsers = new Browsers(candidate, callers, count);
      try (Streams streams =
          new Streams(count, browsers::stream, browsers, bench.options().readers())) {
        streams.openAll(bench.patience());
        Ticker.await(PATIENCE, () -> browsers.learned().acked() >= count);
        kill(new KillRun(bench, candidate, callers, browsers, streams));
      }
    }
  }

  /** Everything that takes part in one run. */
  private record KillRun(
      Bench bench,
      LastmileCandidate candidate,
      Callers callers,
      Browsers browsers,
      Streams streams) {
    void add(String title, String unit, String goal, double value) {
      bench.results().add(new Measure(GROUP, title, unit, "", goal), LASTMILE, value);
    }
  }

  private static void kill(KillRun run) {
    LedgerAudit auditBefore = LedgerAudit.read(run.candidate().processes().redis());
    Learned learnedBefore = run.browsers().learned();
    AtomicLong taken = new AtomicLong();
    CallbackSender sender = new CallbackSender(run, taken);
    sender.send(run.bench().warmUp());
    long killed = Ticker.nanos();
    run.candidate().parts().get(ReplicaProcesses.name(VICTIM)).kill();
    run.browsers().avoid(VICTIM);
    double recoveredBefore =
        run.candidate().processes().metric("lastmile_deliveries_recovered_total");
    sender.send(AFTER);
    boolean quiet =
        Ticker.await(
            PATIENCE,
            () ->
                sender.isQuiet()
                    && run.browsers().areRight()
                    && LedgerAudit.read(run.candidate().processes().redis()).outstanding() == 0);
    Ticker.await(ACKS, () -> run.browsers().haveAcked());
    LedgerAudit audit = LedgerAudit.read(run.candidate().processes().redis()).minus(auditBefore);
    Learned learned = run.browsers().learned().minus(learnedBefore);
    run.bench().say("%s; %s; %d callbacks taken; quiet: %b", audit, learned, taken.get(), quiet);
    tell(run, audit, learned, taken.get());
    run.add(
        "service: recovered, by replay or poll",
        "",
        "",
        run.candidate().processes().metric("lastmile_deliveries_recovered_total")
            - recoveredBefore);
    run.add("all streams are back after", "s", "", since(killed, run.streams().lastReadyNanos()));
    run.add(
        "no client is behind for more than 1 s after",
        "s",
        "",
        since(killed, run.browsers().lastBehindNanos()));
    run.add("clients wrong at the end", "", "0", run.browsers().wrong());
    if (!quiet || !LedgerAudit.read(run.candidate().processes().redis()).balance()) {
      throw new IllegalStateException(
          "deliveries are left, or the ledger does not balance: " + audit);
    }
  }

  private static void tell(KillRun run, LedgerAudit audit, Learned learned, long taken) {
    run.add("callbacks taken", "", "", taken);
    OUTCOMES.forEach(outcome -> run.add("service: " + outcome, "", "", audit.of(outcome)));
    run.add("clients: learned live", "", "", learned.live());
    run.add("clients: learned by replay", "", "", learned.replay());
    run.add("clients: learned by poll", "", "", learned.poll());
    run.add("clients: acks taken", "", "", learned.acked());
    run.add("streams broken", "", "", run.streams().broken());
  }

  private static double since(long killed, long then) {
    return Math.max(0, then - killed) / 1e9;
  }

  /** Callbacks for one browser after the other, each sent until a replica accepts it. */
  private static final class CallbackSender {
    private final KillRun run;
    private final AtomicLong taken;
    private final AtomicLong underWay = new AtomicLong();
    private int next;

    CallbackSender(KillRun run, AtomicLong taken) {
      this.run = run;
      this.taken = taken;
    }

    void send(Duration time) {
      int count = run.streams().size();
      double perSecond = Math.max(1, run.bench().options().rate() / (double) SLOWER);
      long begun = Ticker.nanos();
      long end = begun + time.toNanos();
      for (int i = 0; Ticker.nanos() < end; i++) {
        Ticker.until(begun + (long) (i * 1e9 / perSecond));
        int channel = next % count;
        int revision = 1 + next / count;
        next++;
        underWay.incrementAndGet();
        run.callers()
            .send(() ->
                run.candidate()
                    .callback(channel, revision, run.browsers().anyReplica(), Ticker.nanos(), 0))
            .whenComplete((answer, _) -> {
              underWay.decrementAndGet();
              // A duplicate is a callback whose first response was lost.
              if (answer != null
                  && (answer.body().contains("stored") || answer.body().contains("duplicate"))) {
                taken.incrementAndGet();
                run.browsers().taken(channel);
              }
            });
      }
    }

    boolean isQuiet() {
      return underWay.get() == 0;
    }
  }
}
