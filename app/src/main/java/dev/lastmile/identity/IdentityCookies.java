package dev.lastmile.identity;

import dev.lastmile.updates.Channel;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Arrays;
import java.util.Optional;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.stereotype.Component;

/** Reads and sets the identity cookie of a servlet request. Any thread. */
@Component
final class IdentityCookies {
  private final IdentityTokens tokens;
  private final IdentityProperties properties;

  IdentityCookies(IdentityTokens tokens, IdentityProperties properties) {
    this.tokens = tokens;
    this.properties = properties;
  }

  /** The channel of this request's identity; empty without a valid cookie. */
  Optional<Channel> channelOf(HttpServletRequest request) {
    Cookie[] cookies = request.getCookies();
    return cookies == null
        ? Optional.empty()
        : tokens.channelOf(
            Arrays.stream(cookies)
                .filter(cookie -> IdentityTokens.COOKIE.equals(cookie.getName()))
                .map(Cookie::getValue)
                .toList());
  }

  /** Sets a new identity cookie if the request has no valid one. */
  void ensure(HttpServletRequest request, HttpServletResponse response) {
    if (channelOf(request).isEmpty()) {
      ResponseCookie cookie =
          ResponseCookie.from(IdentityTokens.COOKIE, tokens.issue())
              .httpOnly(true)
              .secure(request.isSecure())
              .sameSite("Lax")
              .path("/")
              .maxAge(properties.maxAge())
              .build();
      response.addHeader(HttpHeaders.SET_COOKIE, cookie.toString());
    }
  }
}
