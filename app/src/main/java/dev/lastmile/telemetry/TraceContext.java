package dev.lastmile.telemetry;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The W3C trace context that an update carries (<a
 * href="https://www.w3.org/TR/trace-context/">Trace Context</a>).
 *
 * @param traceparent version 00 form
 * @param tracestate the vendor list, may be empty; at most 512 characters, as the specification
 *     asks a carrier to keep
 */
public record TraceContext(String traceparent, String tracestate) {
  private static final Pattern TRACEPARENT =
      Pattern.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");
  private static final Pattern TRACESTATE = Pattern.compile("[\\x21-\\x7e ]{0,512}");
  private static final SecureRandom RANDOM = new SecureRandom();

  /**
   * The context that a request brings, or a new, unsampled one if it brings none or a broken one
   * (the specification asks to restart the trace then).
   */
  public static TraceContext of(@Nullable String traceparent, @Nullable String tracestate) {
    if (traceparent == null || !TRACEPARENT.matcher(traceparent).matches()) {
      byte[] ids = new byte[24];
      RANDOM.nextBytes(ids);
      ids[0] |= 1;
      ids[16] |= 1;
      String hex = HexFormat.of().formatHex(ids);
      return new TraceContext("00-" + hex.substring(0, 32) + "-" + hex.substring(32) + "-00", "");
    }
    boolean keep = tracestate != null && TRACESTATE.matcher(tracestate).matches();
    return new TraceContext(traceparent, keep && tracestate != null ? tracestate : "");
  }
}
