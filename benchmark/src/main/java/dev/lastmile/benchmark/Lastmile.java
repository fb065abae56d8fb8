package dev.lastmile.benchmark;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * This service. A channel is a user with one operation, an update a signed callback that changes
 * it.
 */
final class Lastmile implements Candidate {
  private static final Pattern OPERATION = Pattern.compile("\"operationId\":\"([^\"]+)\"");
  private static final String JSON = "Content-Type: application/json";
  private static final int KEY_BYTES = 48;
  private static final int CREATORS = 32;
  private static final Duration CREATION = Duration.ofMinutes(5);

  private final Cluster cluster;
  private final Signer signer = new Signer();
  private final String key = Signer.random(KEY_BYTES);
  private final IntUnaryOperator door;
  private final IntUnaryOperator desk;
  private Identity[] identities = {};
  private String[] operations = {};
  private AtomicIntegerArray revisions = new AtomicIntegerArray(0);

  /**
   * Not started yet.
   *
   * @param door index of the replica that holds a stream, by the stream's number
   * @param desk index of the replica that takes an update, by the update's number
   */
  Lastmile(Bench bench, int replicas, IntUnaryOperator door, IntUnaryOperator desk) {
    this.cluster = new Cluster(bench, replicas);
    this.door = door;
    this.desk = desk;
  }

  /** One replica for everything. */
  static Lastmile alone(Bench bench) {
    return new Lastmile(bench, 1, _ -> 0, _ -> 0);
  }

  /** Updates arrive at A, streams are at B. */
  static Lastmile pair(Bench bench) {
    return new Lastmile(bench, 2, _ -> 1, _ -> 0);
  }

  /** Everything everywhere. */
  static Lastmile spread(Bench bench, int replicas) {
    return new Lastmile(bench, replicas, i -> i % replicas, i -> i % replicas);
  }

  /** With the OpenTelemetry agent in each replica. */
  Lastmile withAgent() {
    cluster.addAgent();
    return this;
  }

  /** A setting for all replicas. */
  Lastmile with(String property, String value) {
    cluster.set(property, value);
    return this;
  }

  Cluster cluster() {
    return cluster;
  }

  @Override
  public void start() {
    cluster.start(signer.secret(), key);
  }

  @Override
  public void prepare(int channels) {
    operations = new String[channels];
    revisions = new AtomicIntegerArray(channels);
    try (Callers callers = new Callers(CREATORS)) {
      callers.sendAll(
          channels,
          i ->
              Request.post(
                  cluster.address(i % cluster.size()),
                  "/api/operations",
                  List.of(JSON, identity(i).cookie(), "Idempotency-Key: " + i),
                  "{\"kind\":\"export\"}"),
          (answer, i) -> operations[i] = operation(answer.body()),
          CREATION);
    }
  }

  private static String operation(String body) {
    Matcher matcher = OPERATION.matcher(body);
    if (!matcher.find()) {
      throw new IllegalStateException("no operation: " + body);
    }
    return matcher.group(1);
  }

  /** The user of a channel. Any thread, once streams are opened. */
  synchronized Identity identity(int channel) {
    if (channel >= identities.length) {
      int length = Math.max(channel + 1, 2 * identities.length);
      identities = Arrays.copyOf(identities, length);
    }
    if (identities[channel] == null) {
      identities[channel] = Identity.of(channel, key);
    }
    return identities[channel];
  }

  @Override
  public Request stream(int channel, int number) {
    return stream(channel, door.applyAsInt(number), "");
  }

  /**
   * What opens a stream at a certain replica.
   *
   * @param cursor where to resume from; empty if nowhere
   */
  Request stream(int channel, int replica, String cursor) {
    List<String> headers = new ArrayList<>();
    headers.add("Accept: text/event-stream");
    headers.add(identity(channel).cookie());
    if (!cursor.isEmpty()) {
      headers.add("Last-Event-ID: " + cursor);
    }
    return Request.get(cluster.address(replica), "/api/stream", headers);
  }

  @Override
  public Request update(int channel, long instantNanos, int number) {
    int revision = revisions.incrementAndGet(channel);
    return callback(channel, revision, desk.applyAsInt(number), instantNanos, number);
  }

  /** A callback with a certain revision, to a certain replica. */
  Request callback(int channel, int revision, int replica, long instantNanos, int number) {
    String head = "{\"revision\":%d,\"status\":\"RUNNING\",\"message\":\"".formatted(revision);
    String end = "\"}";
    String text = Stamp.text(instantNanos, number, UPDATE_BYTES - head.length() - end.length());
    String body = head + text + end;
    List<String> headers = new ArrayList<>(List.of(JSON));
    headers.addAll(signer.headers(body));
    return Request.post(
        cluster.address(replica), "/api/callbacks/" + operations[channel], headers, body);
  }

  /** What says that a version has been applied. */
  Request ack(int channel, int replica, long version, String via) {
    String body =
        "{\"acks\":[{\"operationId\":\"%s\",\"version\":%d,\"via\":\"%s\"}]}"
            .formatted(operations[channel], version, via);
    return Request.post(
        cluster.address(replica), "/api/acks", List.of(JSON, identity(channel).cookie()), body);
  }

  /** What tells the state of a channel. */
  Request list(int channel, int replica) {
    return Request.get(
        cluster.address(replica), "/api/operations", List.of(identity(channel).cookie()));
  }

  @Override
  public Map<String, Launched> parts() {
    return cluster.parts();
  }

  @Override
  public void close() {
    cluster.close();
  }
}
