package dev.lastmile.identity;

import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.updates.Channel;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;

/**
 * Applies the limit that a controller method declares with {@link Limited}.
 *
 * <p>A request with an identity counts against the allowance of that identity; a creation also
 * counts against its address. A request without an identity counts only against the limit for new
 * identities, per address. It gets none of the other limited resources.
 */
record RateInterceptor(IdentityCookies cookies, RateLimits rates) implements HandlerInterceptor {
  @Override
  public boolean preHandle(
      HttpServletRequest request, HttpServletResponse response, Object handler) {
    Limited limited =
        handler instanceof HandlerMethod method ? method.getMethodAnnotation(Limited.class) : null;
    if (limited == null) {
      return true;
    }
    Channel channel = cookies.channelOf(request).orElse(null);
    if (limited.value() == Limit.IDENTITIES_PER_ADDRESS) {
      if (channel == null) {
        rates.take(Limit.IDENTITIES_PER_ADDRESS, request.getRemoteAddr());
      }
    } else if (channel != null) {
      rates.take(limited.value(), channel.value());
      if (limited.value() == Limit.CREATIONS) {
        rates.take(Limit.CREATIONS_PER_ADDRESS, request.getRemoteAddr());
      }
    }
    return true;
  }
}
