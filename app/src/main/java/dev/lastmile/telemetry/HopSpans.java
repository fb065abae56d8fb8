package dev.lastmile.telemetry;

import dev.lastmile.telemetry.Hop.Passed;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.updates.Delivery;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Makes the spans of hops. A span has the name of its hop and an explicit parent.
 *
 * <p>The kinds and {@code messaging.*} names follow the <a
 * href="https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/">messaging
 * conventions</a>. There are none for server-sent events. Without an agent the API does nothing.
 */
final class HopSpans {
  static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("lastmile.outcome");
  static final AttributeKey<String> REPLICA = AttributeKey.stringKey("lastmile.replica");
  static final AttributeKey<String> OPERATION = AttributeKey.stringKey("lastmile.operation_id");
  static final AttributeKey<String> OWNER = AttributeKey.stringKey("lastmile.owner");
  static final AttributeKey<Long> VERSION = AttributeKey.longKey("lastmile.version");
  static final AttributeKey<String> CORRELATION =
      AttributeKey.stringKey("messaging.message.conversation_id");

  private final Tracer tracer = GlobalOpenTelemetry.getTracer("dev.lastmile");
  private final String replica;

  HopSpans(Replica replica) {
    this.replica = replica.name();
  }

  /** Starts a span now. */
  Span start(Hop hop, TraceContext parent) {
    return builder(hop, parent).startSpan();
  }

  /** Starts a span at a given Redis time. */
  Span start(Hop hop, TraceContext parent, long fromMicros) {
    return builder(hop, parent).setStartTimestamp(fromMicros, TimeUnit.MICROSECONDS).startSpan();
  }

  private SpanBuilder builder(Hop hop, TraceContext parent) {
    SpanBuilder builder = builder(hop.wireName(), kind(hop), parent);
    SpanContext request = Span.current().getSpanContext();
    return hop.linksRequest() && request.isValid() ? builder.addLink(request) : builder;
  }

  private SpanBuilder builder(String name, SpanKind kind, TraceContext parent) {
    return tracer
        .spanBuilder(name)
        .setSpanKind(kind)
        .setParent(parent.context())
        .setAttribute(REPLICA, replica);
  }

  /**
   * Ends a span.
   *
   * @param atMicros Redis time of its end; 0 for now
   */
  void end(Span span, String outcome, boolean failed, Subject subject, long atMicros) {
    span.setAttribute(OUTCOME, outcome);
    describe(span, subject);
    if (failed) {
      span.setStatus(StatusCode.ERROR, outcome);
    }
    if (atMicros == 0) {
      span.end();
    } else {
      span.end(atMicros, TimeUnit.MICROSECONDS);
    }
  }

  /** Makes the span of a delivery, as {@link HopRecorder#expired}. */
  void expired(
      Delivery delivery, String reason, String owner, long atMicros, List<Passed> earlier) {
    TraceContext publication = TraceContext.of(delivery.traceparent(), null);
    Span span =
        builder("expired", SpanKind.INTERNAL, publication.sampled())
            .setStartTimestamp(delivery.publishedAtMicros(), TimeUnit.MICROSECONDS)
            .setAttribute(OWNER, owner)
            .startSpan();
    for (Passed hop : earlier) {
      span.addEvent(
          hop.hop(), Attributes.of(REPLICA, hop.replica(), OUTCOME, hop.outcome()), hop.at());
    }
    end(span, reason, true, Subject.of(delivery), atMicros);
  }

  private static void describe(Span span, Subject subject) {
    if (subject.operation() != null) {
      span.setAttribute(OPERATION, subject.operation().value());
    }
    if (subject.correlation() != null) {
      span.setAttribute(CORRELATION, subject.correlation().value());
    }
    if (subject.version() > 0) {
      span.setAttribute(VERSION, subject.version());
    }
  }

  private static SpanKind kind(Hop hop) {
    return switch (hop) {
      case PUBLISHED -> SpanKind.PRODUCER;
      case DELIVERED -> SpanKind.CONSUMER;
      default -> SpanKind.INTERNAL;
    };
  }
}
