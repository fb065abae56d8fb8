package dev.lastmile.http;

import com.google.errorprone.annotations.MustBeClosed;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.http.Outcome;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.NanoTime;
import org.jspecify.annotations.Nullable;

/**
 * Records a server span and the timer {@code http.server.requests} for requests that a handler in
 * front of the servlets responds to.
 *
 * <p>The agent and Spring do this for all other requests. The span follows the <a
 * href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">semantic conventions</a> and
 * continues the caller's trace. The timer has Spring's labels. Any thread. Without an agent there
 * are no spans.
 */
public final class RequestInstrumentation {
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  private static final AttributeKey<Long> STATUS =
      AttributeKey.longKey("http.response.status_code");
  private static final AttributeKey<String> PATH = AttributeKey.stringKey("url.path");
  private static final AttributeKey<String> SCHEME = AttributeKey.stringKey("url.scheme");
  private static final int FIRST_SERVER_ERROR = 500;
  private static final String NONE = "none";

  private static final TextMapGetter<HttpFields> HEADERS =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(HttpFields carrier) {
          return carrier.getFieldNamesCollection();
        }

        @Override
        public @Nullable String get(@Nullable HttpFields carrier, String key) {
          return carrier == null ? null : carrier.get(key);
        }
      };

  /** A tracer of its own: the hops have another one. */
  private final Tracer tracer = GlobalOpenTelemetry.getTracer("dev.lastmile.http");

  private final MeterRegistry meters;
  private final String pattern;
  private final Map<SeriesKey, Timer> timers = new ConcurrentHashMap<>();

  /** The labels that differ between the series. */
  private record SeriesKey(String method, int status) {}

  /**
   * @param pattern the route with placeholders: {@code /api/callbacks/{operationId}}
   */
  public RequestInstrumentation(MeterRegistry meters, String pattern) {
    this.meters = meters;
    this.pattern = pattern;
  }

  /** Starts the span and the timer of a request. */
  public Served begin(Request request) {
    Context caller =
        GlobalOpenTelemetry.getPropagators()
            .getTextMapPropagator()
            .extract(Context.root(), request.getHeaders(), HEADERS);
    // Unknown methods become one value: clients choose the method, and each value would make a
    // series.
    boolean known = HttpMethod.fromString(request.getMethod()) != null;
    Span span =
        tracer
            .spanBuilder((known ? request.getMethod() : "HTTP") + " " + pattern)
            .setSpanKind(SpanKind.SERVER)
            .setParent(caller)
            .setAttribute(METHOD, known ? request.getMethod() : "_OTHER")
            .setAttribute(ROUTE, pattern)
            .setAttribute(PATH, request.getHttpURI().getPath())
            .setAttribute(SCHEME, request.getHttpURI().getScheme())
            .startSpan();
    return new Served(
        caller.with(span), known ? request.getMethod() : "UNKNOWN", request.getHeadersNanoTime());
  }

  private Timer timer(SeriesKey key) {
    int status = key.status();
    return Timer.builder("http.server.requests")
        .tag("error", NONE)
        .tag("exception", NONE)
        .tag("method", key.method())
        .tag("outcome", Outcome.forStatus(status).name())
        .tag("status", Integer.toString(status))
        .tag("uri", pattern)
        .register(meters);
  }

  /** A request in progress. */
  public final class Served {
    private final Context context;
    private final String method;
    private final long sinceNanos;

    private Served(Context context, String method, long sinceNanos) {
      this.context = context;
      this.method = method;
      this.sinceNanos = sinceNanos;
    }

    /** Makes the request's span current on this thread until the scope is closed. */
    @MustBeClosed
    public Scope makeCurrent() {
      return context.makeCurrent();
    }

    /** Ends the span and records the timer. Called once. */
    public void end(int status) {
      Timer timer =
          timers.computeIfAbsent(new SeriesKey(method, status), RequestInstrumentation.this::timer);
      // Exemplars come from the current span.
      try (Scope _ = context.makeCurrent()) {
        timer.record(NanoTime.since(sinceNanos), TimeUnit.NANOSECONDS);
      }
      Span span = Span.fromContext(context);
      span.setAttribute(STATUS, (long) status);
      if (status >= FIRST_SERVER_ERROR) {
        span.setStatus(StatusCode.ERROR);
      }
      span.end();
    }
  }
}
