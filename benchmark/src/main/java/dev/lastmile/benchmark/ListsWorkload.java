package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;

/**
 * Lists of 4 MB, read by 200 slow and 500 fast clients, beside all streams and their updates, in a
 * heap of 256 MB. Measures what that costs all other clients, and the heap over time.
 */
final class ListsWorkload implements Workload {
  private static final String GROUP = "lists of 4 MB, 256 MB heap";
  private static final Measure LATENCY =
      new Measure(GROUP, "latency of updates beside them, p99", "ms", "", "< 1,000");
  private static final Measure WRONG =
      new Measure(GROUP, "deliveries lost or twice, updates refused", "", "", "0");
  private static final Measure BROKEN = new Measure(GROUP, "streams that ended", "", "", "0");
  private static final Measure CUT = Measure.alone(GROUP, "lists that ended early", "");
  private static final Measure WHOLE = Measure.alone(GROUP, "lists read", "");
  private static final Measure REFUSED = Measure.alone(GROUP, "lists refused, 429 or 503", "");
  private static final Measure CLOSED =
      Measure.alone(GROUP, "slow readers closed to make room for others", "");
  private static final Measure HEAP = Measure.alone(GROUP, "heap in use, most", "MB");
  private static final Measure LIVE = Measure.alone(GROUP, "live heap at the end", "MB");
  private static final Measure MEMORY = Measure.alone(GROUP, "memory of lists, most", "MB");

  private static final long HEAP_BYTES = 256L << 20;
  private static final double MEGABYTE = 1 << 20;
  private static final int OWNERS = 60;
  private static final int OPERATIONS = 66;
  private static final int RESULT = 60_000;
  private static final int SLOW = 200;
  private static final int FAST = 500;
  private static final int SLOWER = 10;
  private static final Duration PAUSE = Duration.ofSeconds(5);
  private static final Duration SAMPLE = Duration.ofSeconds(1);

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE);
  }

  @Override
  public void measure(Bench bench, String name) {
    int count = bench.options().streams();
    DeliveryRecorder recorder = new DeliveryRecorder();
    try (LastmileCandidate candidate = LastmileCandidate.alone(bench).withHeap(HEAP_BYTES)) {
      candidate.start();
      candidate.prepare(count);
      candidate.fill(
          IntStream.range(count, count + OWNERS).boxed().toList(),
          OPERATIONS,
          '"' + "x".repeat(RESULT) + '"');
      ChannelOrder order = new ChannelOrder(count);
      try (Streams streams =
              new Streams(count, i -> candidate.stream(i, i), recorder, bench.options().readers());
          Publisher publisher =
              new Publisher(
                  candidate, recorder, order::channel, 1, UnicastWorkload.connections(count))) {
        streams.openAll(bench.patience());
        double rate = Math.max(1, bench.options().rate() / (double) SLOWER);
        publisher.rate(rate, bench.warmUp());
        ListReader.Tally tally = new ListReader.Tally();
        List<ListReader> readers = readers(candidate, count, tally);
        readers.forEach(Thread.ofVirtual()::start);
        // Lists need code that is not compiled yet; the compiler would take half a core.
        publisher.rate(rate, bench.warmUp());
        tally.reset();
        try (Samples samples = new Samples(bench, candidate)) {
          Figures figures = publisher.rate(rate, bench.phase().multipliedBy(3));
          readers.forEach(ListReader::end);
          bench.say(figures, "beside lists, %.0f/s", rate);
          bench.results().add(LATENCY, name, Figures.millis(figures.latency(), 99));
          bench.results().add(WRONG, name, figures.wrong());
          bench.results().add(BROKEN, name, streams.broken());
          samples.report(name);
        }
        bench.results().add(WHOLE, name, tally.whole.get());
        bench.results().add(REFUSED, name, tally.refused.get());
        bench.results().add(CUT, name, tally.cut.get());
        double closed =
            candidate
                .processes()
                .metric("lastmile_http_requests_rejected_total", "reason=\"answer_time\"");
        bench.results().add(CLOSED, name, closed);
        bench.results().add(LIVE, name, candidate.processes().liveBytes(0) / MEGABYTE);
      }
    }
  }

  private static List<ListReader> readers(
      LastmileCandidate candidate, int firstOwner, ListReader.Tally tally) {
    List<ListReader> readers = new ArrayList<>();
    for (int i = 0; i < SLOW + FAST; i++) {
      Request list = candidate.listOnce(firstOwner + i % OWNERS, 0);
      readers.add(new ListReader(list, i < SLOW, PAUSE, tally));
    }
    return readers;
  }

  /** Reads the heap of the replica once a second. */
  private static final class Samples implements AutoCloseable {
    private final Bench bench;
    private final AtomicBoolean ended = new AtomicBoolean();
    private final List<Double> heap = new ArrayList<>();
    private final Thread thread;
    private final List<Double> lists = new ArrayList<>();

    Samples(Bench bench, LastmileCandidate candidate) {
      this.bench = bench;
      this.thread =
          Thread.ofVirtual()
              .start(() -> {
                while (!ended.get()) {
                  sample(candidate.processes());
                  Ticker.pause(SAMPLE);
                }
              });
    }

    private synchronized void sample(ReplicaProcesses processes) {
      double used = processes.metric("jvm_memory_used_bytes", "area=\"heap\"") / MEGABYTE;
      if (used > 0) {
        heap.add(used);
      }
      lists.add(processes.metric("lastmile_http_answers_bytes") / MEGABYTE);
    }

    synchronized void report(String name) {
      bench.say("heap in use, MB, once a second: %s", inWords(heap));
      bench.say("memory of lists, MB, once a second: %s", inWords(lists));
      bench.results().add(HEAP, name, most(heap));
      bench.results().add(MEMORY, name, most(lists));
    }

    private static String inWords(List<Double> values) {
      return String.join(" ", values.stream().map(v -> Long.toString(Math.round(v))).toList());
    }

    private static double most(List<Double> values) {
      return values.stream().mapToDouble(v -> v).max().orElse(0);
    }

    @Override
    public void close() {
      ended.set(true);
      thread.interrupt();
    }
  }
}
