package dev.lastmile.benchmark;

import dev.lastmile.benchmark.Caller.Answer;
import dev.lastmile.benchmark.Capacity.Cost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The constants of {@link Capacity}. Callbacks arrive at A, streams are at B, acks arrive at C. So
 * the CPU time of each process is that of one task. C has streams of the same channels at the end,
 * as a second owner of each update.
 *
 * <p>The cost at rest in the same round is subtracted from the cost of updates and acks.
 */
final class ConstantsWorkload implements Workload {
  private static final String CALLBACKS = ReplicaProcesses.name(0);
  private static final String OWNER = ReplicaProcesses.name(1);
  private static final String ACKS = ReplicaProcesses.name(2);
  private static final int SENDERS = 16;

  /** Acks pass through servlets: the JVM needs so many times the warm-up of updates for them. */
  private static final int ACK_WARM_UPS = 4;

  /** Of each operation, for the memory of an update. */
  private static final int CHANGES = 4;

  /** Heartbeats and checks of presence come within it. */
  private static final Duration REST = Duration.ofSeconds(30);

  private static final Duration SETTLING = Duration.ofSeconds(3);

  @Override
  public List<String> candidates() {
    return List.of(LASTMILE);
  }

  @Override
  public void measure(Bench bench, String name) {
    double alone = restOfOne(bench);
    int count = bench.options().streams();
    int rate = bench.options().rate();
    DeliveryRecorder recorder = new DeliveryRecorder();
    ChannelOrder order = new ChannelOrder(count);
    int connections = UnicastWorkload.connections(count);
    try (LastmileCandidate candidate = new LastmileCandidate(bench, 3, _ -> 1, _ -> 0)) {
      candidate.start();
      Redis redis = candidate.processes().redis();
      Usage rest;
      Figures one;
      try (Streams streams = streams(bench, candidate, recorder, 1);
          Publisher publisher =
              new Publisher(candidate, recorder, order::channel, 1, connections)) {
        memory(bench, candidate, streams, publisher);
        publisher.rate(rate, bench.warmUp());
        sendAcks(bench, candidate, ACK_WARM_UPS * rate * bench.options().warmUp());
        rest = Usage.during(candidate, REST);
        long in = redis.info("total_net_input_bytes");
        long out = redis.info("total_net_output_bytes");
        one = publisher.rate(rate, bench.phase());
        add(
            bench,
            Cost.INTO_REDIS_BYTES,
            (redis.info("total_net_input_bytes") - in) / (double) one.published());
        add(
            bench,
            Cost.FROM_REDIS_BYTES,
            (redis.info("total_net_output_bytes") - out) / (double) one.published());
        updates(bench, one, rest);
        acks(bench, candidate, rest);
        // The publisher counts the deliveries of the first owner.
        try (Streams further = streams(bench, candidate, new DeliveryRecorder(), 2)) {
          further.openAll(bench.patience());
          publisher.rate(rate, bench.phase());
          Usage restOfBoth = Usage.during(candidate, REST);
          Figures two = publisher.rate(rate, bench.phase());
          bench.say(two, "two owners, %d/s", rate);
          add(
              bench,
              Cost.REDIS_OWNER,
              perUpdate(two, restOfBoth, Usage.REDIS) - perUpdate(one, rest, Usage.REDIS));
        }
      }
      Ticker.pause(SETTLING);
      Usage bare = Usage.during(candidate, REST);
      double seconds = ReplicasWorkload.seconds(REST);
      double replica = (bare.redis() / seconds - alone) / 2;
      add(bench, Cost.REDIS_STREAM, (rest.redis() - bare.redis()) / seconds / count);
      add(bench, Cost.REDIS_REPLICA, replica);
      add(bench, Cost.REDIS_REST, alone - replica);
      add(bench, Cost.REPLICA_STREAM, (rest.of(OWNER) - bare.of(OWNER)) / seconds / count);
      add(bench, Cost.REPLICA_REST, bare.of(OWNER) / seconds);
    }
  }

  /** CPU time of Redis with one replica at rest, in microseconds per second. */
  private static double restOfOne(Bench bench) {
    try (LastmileCandidate candidate = LastmileCandidate.alone(bench)) {
      candidate.start();
      Ticker.pause(SETTLING);
      return Usage.during(candidate, REST).redis() / ReplicasWorkload.seconds(REST);
    }
  }

  private static Streams streams(
      Bench bench, LastmileCandidate candidate, DeliveryRecorder recorder, int replica) {
    return new Streams(
        bench.options().streams(),
        i -> candidate.stream(i, replica, ""),
        recorder,
        bench.options().readers());
  }

  /** Creates the operations, opens the streams, and updates each operation a few times. */
  private static void memory(
      Bench bench, LastmileCandidate candidate, Streams streams, Publisher publisher) {
    Redis redis = candidate.processes().redis();
    double count = streams.size();
    long empty = redis.info("used_memory");
    candidate.prepare(streams.size());
    long created = redis.info("used_memory");
    streams.openAll(bench.patience());
    Ticker.pause(SETTLING);
    long opened = redis.info("used_memory");
    int rate = bench.options().rate();
    publisher.rate(rate, Duration.ofMillis((long) (1e3 * CHANGES * count / rate)));
    Ticker.pause(SETTLING);
    long changed = redis.info("used_memory");
    add(bench, Cost.REDIS_OPERATION_BYTES, (created - empty) / count);
    add(bench, Cost.REDIS_STREAM_BYTES, (opened - created) / count);
    add(bench, Cost.REDIS_CHANGE_BYTES, (changed - opened) / count / CHANGES);
  }

  private static void updates(Bench bench, Figures one, Usage rest) {
    bench.say(one, "one owner, %d/s", bench.options().rate());
    add(bench, Cost.REDIS_UPDATE, perUpdate(one, rest, Usage.REDIS));
    add(bench, Cost.REPLICA_CALLBACK, perUpdate(one, rest, CALLBACKS));
    add(bench, Cost.REPLICA_DELIVERY, perUpdate(one, rest, OWNER));
  }

  private static double perUpdate(Figures figures, Usage rest, String part) {
    double atRest = rest.of(part) * figures.seconds() / ReplicasWorkload.seconds(REST);
    return (figures.usage().of(part) - atRest) / figures.published();
  }

  /** The newest version of each operation is acked once. */
  private static void acks(Bench bench, LastmileCandidate candidate, Usage rest) {
    int count = bench.options().streams();
    Usage before = Usage.of(candidate);
    double share = sendAcks(bench, candidate, count) / ReplicasWorkload.seconds(REST);
    Usage used = Usage.of(candidate).minus(before);
    add(bench, Cost.REDIS_ACK, (used.redis() - rest.redis() * share) / count);
    add(bench, Cost.REPLICA_ACK, (used.of(ACKS) - rest.of(ACKS) * share) / count);
  }

  /** Sends so many acks at the common rate, of one operation after the other; returns seconds. */
  private static double sendAcks(Bench bench, LastmileCandidate candidate, int count) {
    int channels = bench.options().streams();
    try (Callers callers = new Callers(SENDERS)) {
      List<CompletableFuture<Answer>> answers = new ArrayList<>(count);
      long begun = Ticker.nanos();
      for (int i = 0; i < count; i++) {
        int channel = i % channels;
        Ticker.until(begun + (long) (i * 1e9 / bench.options().rate()));
        answers.add(
            callers.send(() -> candidate.ack(channel, 2, candidate.version(channel), "live")));
      }
      long refused = answers.stream().filter(answer -> !answer.join().isGood()).count();
      if (refused > 0) {
        throw new IllegalStateException(refused + " acks were refused");
      }
      return (Ticker.nanos() - begun) / 1e9;
    }
  }

  private static void add(Bench bench, Cost cost, double value) {
    bench.results().add(Measure.alone("constants", cost.meaning, cost.unit), LASTMILE, value);
  }
}
