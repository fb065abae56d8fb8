package dev.lastmile.identity;

import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.updates.Channel;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;

/**
 * Counts requests against the limit that their controller names. Who has no identity is not
 * counted: he gets none of what is limited.
 */
final class RateInterceptor implements HandlerInterceptor {
  private final IdentityCookies cookies;
  private final RateLimits rates;

  RateInterceptor(IdentityCookies cookies, RateLimits rates) {
    this.cookies = cookies;
    this.rates = rates;
  }

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
        take(Limit.IDENTITIES_PER_ADDRESS, request.getRemoteAddr());
      }
    } else if (channel != null) {
      take(limited.value(), channel.value());
      if (limited.value() == Limit.CREATIONS) {
        take(Limit.CREATIONS_PER_ADDRESS, request.getRemoteAddr());
      }
    }
    return true;
  }

  private void take(Limit limit, String key) {
    long seconds = rates.take(limit, key);
    if (seconds > 0) {
      throw new TooManyRequestsException(limit, rates.most(limit), seconds);
    }
  }
}
