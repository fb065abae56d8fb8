package dev.lastmile.telemetry;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The W3C trace context that an update carries (<a
 * href="https://www.w3.org/TR/trace-context/">Trace Context</a>).
 *
 * <p>It is passed explicitly from hop to hop: with the job, in Redis and in the envelope. The
 * current span of a thread is never the parent of a hop; a hop may have a link to it.
 *
 * @param traceparent version 00 form
 * @param tracestate the vendor list, may be empty; at most 512 characters, as the specification
 *     asks a carrier to keep
 */
public record TraceContext(String traceparent, String tracestate) {
  private static final Pattern TRACESTATE = Pattern.compile("[\\x21-\\x7e ]{0,512}");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String HEX = "0123456789abcdef";
  private static final int TRACE_END = 35;
  private static final int FLAGS = 53;

  private static final TextMapGetter<TraceContext> GETTER =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(TraceContext carrier) {
          return List.of("traceparent", "tracestate");
        }

        @Override
        public @Nullable String get(@Nullable TraceContext carrier, String key) {
          if (carrier == null) {
            return null;
          }
          return key.equals("traceparent") ? carrier.traceparent : carrier.tracestate;
        }
      };

  /**
   * The context of a request, or a new unsampled one if the request has none or an invalid one. For
   * an invalid one the specification requires a new trace.
   */
  public static TraceContext of(@Nullable String traceparent, @Nullable String tracestate) {
    if (traceparent == null || !isTraceparent(traceparent)) {
      byte[] ids = new byte[24];
      RANDOM.nextBytes(ids);
      ids[0] |= 1;
      ids[16] |= 1;
      String hex = HexFormat.of().formatHex(ids);
      return new TraceContext("00-" + hex.substring(0, 32) + "-" + hex.substring(32) + "-00", "");
    }
    boolean keep =
        tracestate != null && !tracestate.isEmpty() && TRACESTATE.matcher(tracestate).matches();
    return new TraceContext(traceparent, keep && tracestate != null ? tracestate : "");
  }

  /** Version 00 with ids that are not zero. Without a regular expression, for speed at each hop. */
  private static boolean isTraceparent(String text) {
    return text.length() == FLAGS + 2
        && text.startsWith("00-")
        && text.charAt(TRACE_END) == '-'
        && text.charAt(FLAGS - 1) == '-'
        && isId(text, 3, TRACE_END)
        && isId(text, TRACE_END + 1, FLAGS - 1)
        && HEX.indexOf(text.charAt(FLAGS)) >= 0
        && HEX.indexOf(text.charAt(FLAGS + 1)) >= 0;
  }

  private static boolean isId(String text, int from, int to) {
    boolean zero = true;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (HEX.indexOf(c) < 0) {
        return false;
      }
      zero &= c == '0';
    }
    return !zero;
  }

  /**
   * The context of the current request from the agent; without an agent, from the headers of the
   * request, as in {@link #of}.
   */
  public static TraceContext current(@Nullable String traceparent, @Nullable String tracestate) {
    Span span = Span.current();
    return span.getSpanContext().isValid() ? of(span) : of(traceparent, tracestate);
  }

  static TraceContext of(Span span) {
    Map<String, String> carrier = HashMap.newHashMap(2);
    W3CTraceContextPropagator.getInstance()
        .inject(
            Context.root().with(span),
            carrier,
            (map, key, value) -> {
              if (map != null) {
                map.put(key, value);
              }
            });
    return of(carrier.get("traceparent"), carrier.get("tracestate"));
  }

  /** Whether spans of this trace are recorded: the lowest bit of the flags. */
  public boolean isSampled() {
    return (Character.digit(traceparent.charAt(FLAGS + 1), 16) & 1) == 1;
  }

  /** The trace's id, 32 hexadecimal digits. */
  public String traceId() {
    return traceparent.substring(3, 35);
  }

  /** Runs an action with this context as the current one, so that requests carry it. */
  public <T extends @Nullable Object> T call(Supplier<T> action) {
    return context().wrapSupplier(action).get();
  }

  /** A context with a remote span, as the parent of the next span. */
  Context context() {
    return W3CTraceContextPropagator.getInstance().extract(Context.root(), this, GETTER);
  }

  /** The same context, but sampled: for spans that must always be kept. */
  TraceContext sampled() {
    return new TraceContext(traceparent.substring(0, FLAGS) + "01", tracestate);
  }
}
