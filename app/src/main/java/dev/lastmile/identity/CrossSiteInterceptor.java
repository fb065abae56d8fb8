package dev.lastmile.identity;

import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.net.URI;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.web.servlet.HandlerInterceptor;

/**
 * Refuses state-changing requests that a browser sends on behalf of another site, and counts them.
 *
 * <p>{@code Sec-Fetch-Site} decides where the browser sends it; otherwise {@code Origin} has to
 * name the host that was asked (<a
 * href="https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html">OWASP</a>).
 * A program that sends neither is no browser and carries nobody's cookie by accident.
 */
final class CrossSiteInterceptor implements HandlerInterceptor {
  private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS");
  private static final String SEC_FETCH_SITE = "Sec-Fetch-Site";

  private final Counter refused;

  CrossSiteInterceptor(MeterRegistry meters) {
    refused = Metric.REQUESTS_REFUSED.counter(meters, "cross_site");
  }

  @Override
  public boolean preHandle(
      HttpServletRequest request, HttpServletResponse response, Object handler) {
    if (SAFE.contains(request.getMethod())) {
      return true;
    }
    String site = request.getHeader(SEC_FETCH_SITE);
    if (site != null) {
      if (!site.equals("same-origin") && !site.equals("none")) {
        throw refused(SEC_FETCH_SITE);
      }
      return true;
    }
    String origin = request.getHeader(HttpHeaders.ORIGIN);
    if (origin != null && !names(origin, request.getHeader(HttpHeaders.HOST))) {
      throw refused(HttpHeaders.ORIGIN);
    }
    return true;
  }

  private CrossSiteException refused(String header) {
    refused.increment();
    return new CrossSiteException(header);
  }

  private static boolean names(String origin, @Nullable String host) {
    try {
      String authority = URI.create(origin).getAuthority();
      return authority != null
          && host != null
          && authority.toLowerCase(Locale.ROOT).equals(host.toLowerCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
