package dev.lastmile.identity;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.web.servlet.HandlerInterceptor;

/** Gives an identity to a browser that opens the root, whoever serves that. */
final class RootInterceptor implements HandlerInterceptor {
  private final IdentityCookies cookies;

  RootInterceptor(IdentityCookies cookies) {
    this.cookies = cookies;
  }

  @Override
  public boolean preHandle(
      HttpServletRequest request, HttpServletResponse response, Object handler) {
    cookies.ensure(request, response);
    return true;
  }
}
