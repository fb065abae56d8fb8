package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import dev.lastmile.testkit.telemetry.Collector;
import dev.lastmile.testkit.telemetry.Collector.Span;
import io.restassured.http.ContentType;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Real replicas with the OpenTelemetry agent, a real Collector: the tree that a click makes. */
class TraceIT {
  private static final int INTERNAL = 1;
  private static final int SERVER = 2;
  private static final int PRODUCER = 4;
  private static final int CONSUMER = 5;

  private static Collector collector;
  private static Cluster cluster;

  @BeforeAll
  static void start() {
    collector = Collector.start();
    cluster =
        Cluster.builder()
            .agent(collector.uri())
            // The agent reads it, and the service has to know that it is no setting of its own.
            .environment("LASTMILE_TRACE_RATIO", "1.0")
            .start();
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
    if (collector != null) {
      collector.close();
    }
  }

  private static List<Span> trace(String id) {
    return collector.spans().stream().filter(span -> span.trace().equals(id)).toList();
  }

  private static List<Span> named(List<Span> spans, String name) {
    return spans.stream().filter(span -> span.name().equals(name)).toList();
  }

  private static Span byId(List<Span> spans, String id) {
    return spans.stream()
        .filter(span -> span.id().equals(id))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no span " + id));
  }

  /** Each process exports its spans when it likes, so a parent may come after its children. */
  private static boolean isWhole(List<Span> spans) {
    List<String> ids = spans.stream().map(Span::id).toList();
    return spans.stream().allMatch(it -> it.parent().isEmpty() || ids.contains(it.parent()));
  }

  /** The span that a span of another trace links. */
  private static Span linked(Span span) {
    assertThat(span.links()).as("links of " + span.name()).hasSize(1);
    String link = span.links().getFirst();
    return collector.spans().stream()
        .filter(other -> link.equals(other.trace() + "-" + other.id()))
        .findFirst()
        .orElseThrow(() -> new AssertionError("the linked span " + link + " never came"));
  }

  private static String traceOf(SseClient.Event event) {
    return event.data().replaceAll(".*\"traceparent\":\"00-([0-9a-f]{32})-.*", "$1");
  }

  @Test
  void aClickIsOneTraceFromTheRequestToTheAck_withExplicitParentsOnTheRightReplicas() {
    LastmileProcess a = cluster.replica(1);
    LastmileProcess b = cluster.replica(2);
    LastmileProcess c = cluster.replica(3);
    Browser browser = Browser.at(a);
    try (SseClient stream = browser.stream(c)) {
      stream.awaitReady();
      String id = browser.create(a, Map.of("durationMillis", 3_600_000));
      SseClient.Event first = stream.await("version 1", e -> e.data().contains(id));
      new Webhooks(cluster.secret()).outcome(b, id, Webhooks.running(1, 50));
      SseClient.Event second = stream.await("version 2", e -> e.data().contains("\"version\":2"));
      browser.ack(a, id, 2, "live").then().statusCode(204);
      String trace = traceOf(first);
      assertThat(traceOf(second)).isEqualTo(trace);
      Awaitility.await("the spans of the trace")
          .atMost(20, TimeUnit.SECONDS)
          .until(() ->
              named(trace(trace), "client_acked").size() == 2
                  && named(trace(trace), "delivered").size() == 2
                  && !named(trace(trace), "callback").isEmpty()
                  && !named(trace(trace), "POST /jobs").isEmpty()
                  && isWhole(trace(trace)));

      List<Span> spans = trace(trace);
      Span request = named(spans, "POST /api/operations").getFirst();
      assertThat(request.kind()).isEqualTo(SERVER);
      assertThat(request.parent()).isEmpty();
      Span initiated = named(spans, "initiated").getFirst();
      assertThat(initiated)
          .returns(request.id(), Span::parent)
          .returns("replica-1", Span::replica)
          .returns("created", Span::outcome)
          .returns(INTERNAL, Span::kind)
          .returns(List.of(), Span::links);
      assertThat(initiated.attributes()).containsEntry("lastmile.operation_id", id);
      Span callback = named(spans, "callback").getFirst();
      assertThat(callback)
          .returns(initiated.id(), Span::parent)
          .returns("replica-2", Span::replica)
          .returns("stored", Span::outcome);
      Awaitility.await("the server spans that are linked")
          .untilAsserted(() -> {
            assertThat(linked(callback).name()).isEqualTo("POST /api/callbacks/{operationId}");
            assertThat(linked(callback).trace()).as("a trace of its own").isNotEqualTo(trace);
          });
      List<Span> published = named(spans, "published");
      assertThat(published).hasSize(2).allMatch(span -> span.kind() == PRODUCER);
      assertThat(published)
          .extracting(span -> span.parent() + " " + span.replica() + " " + span.outcome())
          .containsExactlyInAnyOrder(
              initiated.id() + " replica-1 audience", callback.id() + " replica-2 audience");
      assertThat(published)
          .extracting(span -> span.attributes().get("lastmile.version"))
          .containsExactlyInAnyOrder("1", "2");
      for (Span delivered : named(spans, "delivered")) {
        Span publication = byId(published, delivered.parent());
        assertThat(delivered)
            .returns("replica-3", Span::replica)
            .returns("delivered", Span::outcome)
            .returns(CONSUMER, Span::kind)
            .returns(List.of(), Span::links);
        assertThat(delivered.attributes().get("lastmile.version"))
            .isEqualTo(publication.attributes().get("lastmile.version"));
        assertThat(delivered.endNanos()).isGreaterThanOrEqualTo(delivered.startNanos());
      }
      for (Span acked : named(spans, "client_acked")) {
        byId(published, acked.parent());
        assertThat(acked).returns("replica-1", Span::replica).returns("live", Span::outcome);
        Awaitility.await("the ack's server span")
            .untilAsserted(() -> assertThat(linked(acked).name()).isEqualTo("POST /api/acks"));
      }
      assertThat(collector.spans().toString())
          .as("no secret, cookie or signature in any span")
          .contains(id)
          .doesNotContain(
              cluster.secret(), cluster.secret().substring(6), browser.cookie(), "v1,", "v1.");
      Span job = named(spans, "POST /jobs").getFirst();
      assertThat(job.service()).isEqualTo("external-system");
      assertThat(byId(spans, job.parent()).parent()).isEqualTo(initiated.id());
      String traceparent = second.data().replaceAll(".*\"traceparent\":\"([^\"]*)\".*", "$1");
      assertThat(byId(published, traceparent.substring(36, 52)).attributes())
          .containsEntry("lastmile.version", "2");
    }
  }

  @Test
  void theExternalSystemCallsBackInATraceOfItsOwn() {
    Browser browser = Browser.at(cluster.replica(1));
    String id = browser.create(cluster.replica(1), Map.of("steps", 1, "durationMillis", 100));
    Awaitility.await("a callback of the external system")
        .atMost(20, TimeUnit.SECONDS)
        .untilAsserted(() -> {
          List<Span> callbacks =
              named(collector.spans(), "callback").stream()
                  .filter(span -> id.equals(span.attributes().get("lastmile.operation_id")))
                  .toList();
          assertThat(callbacks).isNotEmpty();
          Span request = linked(callbacks.getFirst());
          assertThat(request.trace()).isNotEqualTo(callbacks.getFirst().trace());
          List<Span> own = trace(request.trace());
          assertThat(byId(own, request.parent()))
              .returns("external-system", Span::service)
              .returns("", Span::parent);
        });
  }

  @Test
  void spansAndCountersAgreeInNumber_andNothingElseMakesSpans() {
    LastmileProcess a = cluster.replica(1);
    Browser browser = Browser.at(a);
    Webhooks webhooks = new Webhooks(cluster.secret());
    try (SseClient stream = browser.stream(cluster.replica(2))) {
      stream.awaitReady();
      for (int i = 0; i < 5; i++) {
        String id = browser.create(a, Map.of("durationMillis", 3_600_000));
        webhooks.outcome(cluster.replica(3), id, Webhooks.running(1, 10));
        webhooks.outcome(cluster.replica(2), id, Webhooks.running(1, 10));
        webhooks.outcome(a, id, Webhooks.succeeded(2));
        stream.await("the end", e -> e.data().contains(id) && e.data().contains("SUCCEEDED"));
        browser.ack(cluster.replica(3), id, 3, "live").then().statusCode(204);
        browser.ack(cluster.replica(3), id, 3, "replay").then().statusCode(204);
      }
      browser
          .ask(a)
          .contentType(ContentType.JSON)
          .body("{\"kind\":\"nonsense\"}")
          .post("/api/operations")
          .then()
          .statusCode(400);
      new Webhooks("whsec_" + "A".repeat(44)).send(a, "op1-" + "0".repeat(32), "{}");
    }
    Awaitility.await("as many spans as the counters say")
        .atMost(30, TimeUnit.SECONDS)
        .pollInterval(500, TimeUnit.MILLISECONDS)
        .untilAsserted(() -> assertThat(hopsBySpans()).isEqualTo(hopsByCounters()));
    assertThat(hopsBySpans()).containsKeys("initiated rejected", "callback rejected");
    List<Span> all = collector.spans();
    assertThat(all).noneMatch(span -> span.name().contains("stream"));
    assertThat(all).noneMatch(span -> span.name().contains("actuator"));
    assertThat(all).noneMatch(span -> span.scope().contains("lettuce"));
    assertThat(all)
        .filteredOn(span -> span.kind() == SERVER)
        .allMatch(span -> span.endNanos() - span.startNanos() < 10_000_000_000L);
    for (LastmileProcess replica : cluster.replicas()) {
      assertThat(Metrics.of(replica).sum("http_server_requests_seconds_count", "/api/stream"))
          .isZero();
    }
  }

  private static Map<String, Long> hopsBySpans() {
    return collector.spans().stream()
        .filter(span -> span.scope().equals("dev.lastmile"))
        .filter(span -> !span.name().equals("expired"))
        .collect(
            Collectors.groupingBy(
                span -> span.name() + " " + span.outcome(), TreeMap::new, Collectors.counting()));
  }

  private static Map<String, Long> hopsByCounters() {
    Map<String, Long> hops = new TreeMap<>();
    for (LastmileProcess replica : cluster.replicas()) {
      Metrics metrics = Metrics.of(replica);
      for (Hop hop : Hop.values()) {
        for (String outcome : hop.outcomes()) {
          double count =
              metrics.sum(
                  "lastmile_hops_total",
                  "hop=\"" + hop.wireName() + "\"",
                  "outcome=\"" + outcome + "\"");
          if (count > 0) {
            hops.merge(hop.wireName() + " " + outcome, (long) count, Long::sum);
          }
        }
      }
    }
    return hops;
  }

  @Test
  void anExpiryIsAnErrorInTheTraceOfItsUpdate_alsoWhereThatWasNotSampled() {
    LastmileProcess a = cluster.replica(1);
    LastmileProcess owner = cluster.replica(3);
    Browser browser = Browser.at(a);
    String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    SseClient stream = browser.stream(owner);
    stream.awaitReady();
    owner.signal("STOP");
    try {
      browser
          .ask(a)
          .header("traceparent", "00-" + trace + "-00f067aa0ba902b7-00")
          .contentType(ContentType.JSON)
          .body("{\"kind\":\"export\",\"input\":{\"durationMillis\":3600000}}")
          .post("/api/operations")
          .then()
          .statusCode(201);
      Awaitility.await("the span of the expiry")
          .atMost(30, TimeUnit.SECONDS)
          .until(() -> !named(trace(trace), "expired").isEmpty());
    } finally {
      owner.signal("CONT");
      stream.close();
    }
    List<Span> spans = trace(trace);
    assertThat(spans).extracting(Span::name).containsOnly("expired");
    Span expired = spans.getFirst();
    assertThat(expired.error()).isTrue();
    assertThat(expired.outcome()).isEqualTo("owner_gone");
    assertThat(expired.attributes())
        .containsEntry("lastmile.owner", "replica-3")
        .containsKeys("lastmile.operation_id", "messaging.message.conversation_id");
    assertThat(expired.events())
        .extracting(event -> event.name() + " " + event.attributes().get("lastmile.replica"))
        .containsExactly("initiated replica-1", "published replica-1");
    assertThat(expired.endNanos() - expired.startNanos()).isGreaterThan(4_900_000_000L);
  }
}
