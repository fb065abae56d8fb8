package dev.lastmile.callbacks;

import com.google.errorprone.annotations.MustBeClosed;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
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
 * Tells of requests that a handler in front of the servlets answers what the agent and Spring tell
 * of all others: a server span (<a
 * href="https://opentelemetry.io/docs/specs/semconv/http/http-spans/">conventions</a>), which
 * continues the caller's trace, and the timer {@code http.server.requests} with Spring's labels.
 * Any thread. Without an agent there are no spans.
 */
final class Route {
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

  /** Not that of the hops: these are requests. */
  private final Tracer tracer = GlobalOpenTelemetry.getTracer("dev.lastmile.http");

  private final MeterRegistry meters;
  private final String pattern;
  private final Map<Answered, Timer> timers = new ConcurrentHashMap<>();

  /** What tells the series apart. */
  private record Answered(String method, int status) {}

  /**
   * @param pattern of the path, with names for what differs: {@code /api/callbacks/{operationId}}
   */
  Route(MeterRegistry meters, String pattern) {
    this.meters = meters;
    this.pattern = pattern;
  }

  /** Begins to tell of a request. */
  Served begin(Request request) {
    Context caller =
        GlobalOpenTelemetry.getPropagators()
            .getTextMapPropagator()
            .extract(Context.root(), request.getHeaders(), HEADERS);
    // Clients may name methods as they like; series and names of spans must not follow them.
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

  private Timer timer(Answered answered) {
    int status = answered.status();
    return Timer.builder("http.server.requests")
        .tag("error", NONE)
        .tag("exception", NONE)
        .tag("method", answered.method())
        .tag("outcome", outcome(status))
        .tag("status", Integer.toString(status))
        .tag("uri", pattern)
        .register(meters);
  }

  private static String outcome(int status) {
    return switch (status / 100) {
      case 2 -> "SUCCESS";
      case 4 -> "CLIENT_ERROR";
      case 5 -> "SERVER_ERROR";
      default -> "UNKNOWN";
    };
  }

  /** A request of this route. */
  final class Served {
    private final Context context;
    private final String method;
    private final long sinceNanos;

    private Served(Context context, String method, long sinceNanos) {
      this.context = context;
      this.method = method;
      this.sinceNanos = sinceNanos;
    }

    /** What is done meanwhile on this thread is done for this request. */
    @MustBeClosed
    Scope makeCurrent() {
      return context.makeCurrent();
    }

    /** It has been answered; once. */
    void end(int status) {
      Timer timer = timers.computeIfAbsent(new Answered(method, status), Route.this::timer);
      // Exemplars are taken from what is current.
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
