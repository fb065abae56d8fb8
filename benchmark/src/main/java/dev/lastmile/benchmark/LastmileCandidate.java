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
final class LastmileCandidate implements Candidate {
  private static final Pattern OPERATION = Pattern.compile("\"operationId\":\"([^\"]+)\"");
  private static final String JSON = "Content-Type: application/json";
  private static final int KEY_BYTES = 48;
  private static final int CREATORS = 32;
  private static final Duration CREATION = Duration.ofMinutes(5);

  private final ReplicaProcesses processes;
  private final Signer signer = new Signer();
  private final String key = Signer.random(KEY_BYTES);
  private final IntUnaryOperator streamReplica;
  private final IntUnaryOperator callbackReplica;
  private Identity[] identities = {};
  private String[] operations = {};
  private AtomicIntegerArray revisions = new AtomicIntegerArray(0);

  /**
   * Not started yet.
   *
   * @param streamReplica index of the replica that holds a stream, by the stream's number
   * @param callbackReplica index of the replica that takes an update, by the update's number
   */
  LastmileCandidate(
      Bench bench, int replicas, IntUnaryOperator streamReplica, IntUnaryOperator callbackReplica) {
    this(bench, ServiceBuild.workingTree(), replicas, streamReplica, callbackReplica);
  }

  private LastmileCandidate(
      Bench bench,
      ServiceBuild build,
      int replicas,
      IntUnaryOperator streamReplica,
      IntUnaryOperator callbackReplica) {
    this.processes = new ReplicaProcesses(bench, build, replicas);
    this.streamReplica = streamReplica;
    this.callbackReplica = callbackReplica;
  }

  /** One replica for everything. */
  static LastmileCandidate alone(Bench bench) {
    return new LastmileCandidate(bench, 1, _ -> 0, _ -> 0);
  }

  /** Updates arrive at A, streams are at B. */
  static LastmileCandidate pair(Bench bench) {
    return pair(bench, ServiceBuild.workingTree());
  }

  /** As {@link #pair(Bench)}, of a certain build. */
  static LastmileCandidate pair(Bench bench, ServiceBuild build) {
    return new LastmileCandidate(bench, build, 2, _ -> 1, _ -> 0);
  }

  /** Everything everywhere. */
  static LastmileCandidate spread(Bench bench, int replicas) {
    return new LastmileCandidate(bench, replicas, i -> i % replicas, i -> i % replicas);
  }

  /** With the OpenTelemetry agent in each replica. */
  LastmileCandidate withAgent() {
    processes.addAgent();
    return this;
  }

  /** On a Redis Cluster with so many primaries. */
  LastmileCandidate onCluster(int primaries) {
    processes.useCluster(primaries);
    return this;
  }

  /** A setting for all replicas. */
  LastmileCandidate with(String property, String value) {
    processes.set(property, value);
    return this;
  }

  /** A heap of so many bytes, and an end instead of a replica without memory. */
  LastmileCandidate withHeap(long bytes) {
    processes.addJvm("-Xmx" + bytes);
    processes.addJvm("-XX:+ExitOnOutOfMemoryError");
    return this;
  }

  ReplicaProcesses processes() {
    return processes;
  }

  @Override
  public void start() {
    processes.start(signer.secret(), key);
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
                  processes.address(i % processes.size()),
                  "/api/operations",
                  List.of(JSON, identity(i).cookie(), "Idempotency-Key: " + i),
                  "{\"kind\":\"export\"}"),
          (answer, i) -> operations[i] = operation(answer.body()),
          CREATION);
    }
  }

  /**
   * Gives users operations with results.
   *
   * @param channels the users
   * @param each operations of one user
   * @param result JSON text
   */
  void fill(List<Integer> channels, int each, String result) {
    String[] ids = new String[channels.size() * each];
    String report = "{\"revision\":1,\"status\":\"SUCCEEDED\",\"result\":" + result + "}";
    try (Callers callers = new Callers(CREATORS)) {
      callers.sendAll(
          ids.length,
          i ->
              Request.post(
                  processes.address(0),
                  "/api/operations",
                  List.of(
                      JSON, identity(channels.get(i / each)).cookie(), "Idempotency-Key: f" + i),
                  "{\"kind\":\"export\"}"),
          (answer, i) -> ids[i] = operation(answer.body()),
          CREATION);
      callers.sendAll(ids.length, i -> callback(ids[i], 0, report), (_, _) -> {}, CREATION);
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
    return stream(channel, streamReplica.applyAsInt(number), "");
  }

  /**
   * The request that opens a stream at a certain replica.
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
    return Request.get(processes.address(replica), "/api/stream", headers);
  }

  @Override
  public Request update(int channel, long instantNanos, int number) {
    int revision = revisions.incrementAndGet(channel);
    return callback(channel, revision, callbackReplica.applyAsInt(number), instantNanos, number);
  }

  /** A callback with a certain revision, to a certain replica. */
  Request callback(int channel, int revision, int replica, long instantNanos, int number) {
    String head = "{\"revision\":%d,\"status\":\"RUNNING\",\"message\":\"".formatted(revision);
    String end = "\"}";
    String text = Stamp.text(instantNanos, number, UPDATE_BYTES - head.length() - end.length());
    return callback(operations[channel], replica, head + text + end);
  }

  private Request callback(String operation, int replica, String body) {
    List<String> headers = new ArrayList<>(List.of(JSON));
    headers.addAll(signer.headers(body));
    return Request.post(processes.address(replica), "/api/callbacks/" + operation, headers, body);
  }

  /** The newest version of a channel's operation, if no update was refused. */
  long version(int channel) {
    // Its creation is the first version.
    return 1 + revisions.get(channel);
  }

  /** The request that acks a version. */
  Request ack(int channel, int replica, long version, String via) {
    String body =
        "{\"acks\":[{\"operationId\":\"%s\",\"version\":%d,\"via\":\"%s\"}]}"
            .formatted(operations[channel], version, via);
    return Request.post(
        processes.address(replica), "/api/acks", List.of(JSON, identity(channel).cookie()), body);
  }

  /** The request that reads the state of a channel. */
  Request list(int channel, int replica) {
    return Request.get(
        processes.address(replica), "/api/operations", List.of(identity(channel).cookie()));
  }

  /** As {@link #list}, over a connection that is closed afterwards. */
  Request listOnce(int channel, int replica) {
    return Request.get(
        processes.address(replica),
        "/api/operations",
        List.of(identity(channel).cookie(), "Connection: close"));
  }

  @Override
  public Map<String, Launched> parts() {
    return processes.parts();
  }

  @Override
  public void close() {
    processes.close();
  }
}
