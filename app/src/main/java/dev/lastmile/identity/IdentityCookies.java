package dev.lastmile.identity;

import dev.lastmile.updates.Channel;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Arrays;
import java.util.Optional;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;

/** Reads and sets the cookie of a servlet request. */
final class IdentityCookies {
  private final Identities identities;
  private final IdentityProperties properties;

  IdentityCookies(Identities identities, IdentityProperties properties) {
    this.identities = identities;
    this.properties = properties;
  }

  /** The channel of whoever sent this request; empty without a valid cookie. */
  Optional<Channel> channelOf(HttpServletRequest request) {
    Cookie[] cookies = request.getCookies();
    return cookies == null
        ? Optional.empty()
        : identities.channelOf(
            Arrays.stream(cookies)
                .filter(cookie -> Identities.COOKIE.equals(cookie.getName()))
                .map(Cookie::getValue)
                .toList());
  }

  /** Gives an identity to a browser that has no valid one. */
  void ensure(HttpServletRequest request, HttpServletResponse response) {
    if (channelOf(request).isEmpty()) {
      ResponseCookie cookie =
          ResponseCookie.from(Identities.COOKIE, identities.issue())
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
