package dev.lastmile.telemetry;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.prometheus.metrics.tracer.common.SpanContext;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Supplies the current span to the metrics library, so that counters and histograms carry
 * exemplars.
 *
 * <p>The span of an exemplar is marked with {@code exemplar=true}, so that a sampler can keep its
 * trace.
 */
@Component
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
