package dev.lastmile.identity;

import dev.lastmile.http.RequestProblem;
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
import org.springframework.http.HttpStatus;
import org.springframework.web.servlet.HandlerInterceptor;

/**
 * Rejects (403) and counts state-changing requests that a browser sends for a page of another site.
 *
 * <p>{@code Sec-Fetch-Site} decides if the browser sends it. Otherwise the host in {@code Origin}
 * has to be the requested host (<a
 * href="https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html">OWASP</a>).
 * A client that sends neither is not a browser, so it sends no cookie automatically.
 */
final class CrossSiteInterceptor implements HandlerInterceptor {
  private static final Set<String> SAFE = Set.of("GET", "HEAD", "OPTIONS");
  private static final String SEC_FETCH_SITE = "Sec-Fetch-Site";

  private final Counter rejections;

  CrossSiteInterceptor(MeterRegistry meters) {
    rejections = Metric.REQUESTS_REJECTED.counter(meters, "cross_site");
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
        throw reject(SEC_FETCH_SITE);
      }
      return true;
    }
    String origin = request.getHeader(HttpHeaders.ORIGIN);
    if (origin != null && !isSameHost(origin, request.getHeader(HttpHeaders.HOST))) {
      throw reject(HttpHeaders.ORIGIN);
    }
    return true;
  }

  private RequestProblem reject(String header) {
    rejections.increment();
    return new RequestProblem(
        HttpStatus.FORBIDDEN, "state-changing requests must come from the same origin", header);
  }

  private static boolean isSameHost(String origin, @Nullable String host) {
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
