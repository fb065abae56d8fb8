package dev.lastmile.telemetry;

import dev.lastmile.telemetry.Hop.Passed;
import dev.lastmile.telemetry.Hop.Subject;
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
 * Makes the spans of hops: named after the hop, with an explicit parent.
 *
 * <p>The kinds and {@code messaging.*} names follow the <a
 * href="https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/">messaging
 * conventions</a> as far as they go; there are none for server-sent events. Without an agent the
 * API does nothing.
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

  /** Starts one now. */
  Span start(Hop hop, TraceContext parent) {
    return builder(hop, parent).startSpan();
  }

  /** Starts one at a time on the clock of Redis. */
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
   * @param atMicros its end on the clock of Redis; 0 for now
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

  /**
   * Says that a delivery expired, in the trace of its update and sampled whatever was decided for
   * it.
   *
   * @param publication the context of its publication
   * @param earlier the hops that its version has passed, each an event of the span
   */
  void expired(
      Subject subject,
      String reason,
      String owner,
      TraceContext publication,
      long publishedMicros,
      long atMicros,
      List<Passed> earlier) {
    Span span =
        builder("expired", SpanKind.INTERNAL, publication.sampled())
            .setStartTimestamp(publishedMicros, TimeUnit.MICROSECONDS)
            .setAttribute(OWNER, owner)
            .startSpan();
    for (Passed hop : earlier) {
      span.addEvent(
          hop.hop(), Attributes.of(REPLICA, hop.replica(), OUTCOME, hop.outcome()), hop.at());
    }
    end(span, reason, true, subject, atMicros);
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
