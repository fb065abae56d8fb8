package dev.lastmile.telemetry;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.prometheus.metrics.tracer.common.SpanContext;
import org.jspecify.annotations.Nullable;

/**
 * Tells the metrics library which span is current, so that counters and histograms carry exemplars.
 *
 * <p>The span that became one is marked with {@code exemplar=true}, so that a sampler can keep its
 * trace.
 */
final class CurrentSpan implements SpanContext {
  private static final AttributeKey<String> MARK = AttributeKey.stringKey(EXEMPLAR_ATTRIBUTE_NAME);

  @Override
  public @Nullable String getCurrentTraceId() {
    io.opentelemetry.api.trace.SpanContext span = Span.current().getSpanContext();
    return span.isValid() ? span.getTraceId() : null;
  }

  @Override
  public @Nullable String getCurrentSpanId() {
    io.opentelemetry.api.trace.SpanContext span = Span.current().getSpanContext();
    return span.isValid() ? span.getSpanId() : null;
  }

  @Override
  public boolean isCurrentSpanSampled() {
    return Span.current().getSpanContext().isSampled();
  }

  @Override
  public void markCurrentSpanAsExemplar() {
    Span.current().setAttribute(MARK, EXEMPLAR_ATTRIBUTE_VALUE);
  }
}
