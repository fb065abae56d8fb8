package dev.lastmile.benchmark;

import dev.lastmile.benchmark.Streams.Opened;
import java.time.Duration;

/**
 * One of the two builds that are compared: two replicas and a Redis that run from the first round
 * to the last. Updates arrive at A, streams are at B, one channel each. One thread.
 */
final class QuickCandidate implements AutoCloseable {
  /** Index of the replica that holds the streams. */
  private static final int STREAMS_AT = 1;

  /** Before the first round: the JIT compilers have to see connects too. */
  private static final int WARM_UP_STORMS = 4;

  /** After a storm, and before the CPU time counts. */
  private static final Duration LEAD_IN = Duration.ofSeconds(1);

  /** Until the service has finished its work on opened, delivered or closed streams. */
  private static final Duration REST = Duration.ofMillis(1_500);

  private final Bench bench;
  private final LastmileCandidate candidate;
  private final DeliveryRecorder recorder = new DeliveryRecorder();
  private final ChannelOrder order;
  private final Publisher publisher;
  private final int count;

  /**
   * The figures of one round.
   *
   * @param microsPerUpdate CPU time of A, B and Redis
   * @param heapKilobytes live heap of B, per stream
   * @param stormMillis until all streams were ready
   * @param refused streams that were not opened, or were closed by the service
   * @param wrong updates refused, deliveries lost or made twice
   */
  record Round(
      double microsPerUpdate, double heapKilobytes, double stormMillis, long refused, long wrong) {}

  /** Not started yet. */
  QuickCandidate(Bench bench, ServiceBuild build) {
    this.bench = bench;
    this.count = bench.options().streams();
    this.candidate = LastmileCandidate.pair(bench, build);
    this.order = new ChannelOrder(count);
    this.publisher =
        new Publisher(candidate, recorder, order::channel, 1, UnicastWorkload.connections(count));
  }

  /** Starts the processes and waits until they serve and every channel has its operation. */
  void start() {
    candidate.start();
    candidate.prepare(count);
  }

  /**
   * Runs storms and updates as the rounds do, so that the JVMs compile the code.
   *
   * @param perSecond updates
   */
  void warmUp(double perSecond) {
    for (int i = 0; i < WARM_UP_STORMS; i++) {
      try (Streams streams = streams()) {
        streams.openAll(bench.patience());
        publisher.rate(perSecond, bench.warmUp().dividedBy(WARM_UP_STORMS));
      }
      Ticker.pause(REST);
    }
  }

  /** Opens all streams, sends updates at the common rate, and closes the streams. */
  Round measure() {
    long before = candidate.processes().liveBytes(STREAMS_AT);
    try (Streams streams = streams()) {
      Opened opened = streams.open(bench.patience());
      Ticker.pause(REST);
      int rate = bench.options().rate();
      long wrong = publisher.rate(rate, LEAD_IN).wrong();
      Figures figures = publisher.rate(rate, bench.phase());
      bench.say("storm: %s", opened);
      bench.say(figures, "%d/s", rate);
      Ticker.pause(REST);
      long grown = candidate.processes().liveBytes(STREAMS_AT) - before;
      return new Round(
          figures.microsPerUpdate(),
          grown / 1024.0 / count,
          opened.millis(),
          opened.failed() + streams.broken(),
          wrong + figures.wrong());
    } finally {
      Ticker.pause(REST);
    }
  }

  private Streams streams() {
    return new Streams(count, i -> candidate.stream(i, i), recorder, bench.options().readers());
  }

  @Override
  public void close() {
    publisher.close();
    candidate.close();
  }
}
