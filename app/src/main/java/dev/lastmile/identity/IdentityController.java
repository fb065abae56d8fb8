package dev.lastmile.identity;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Gives identities away: to a program that asks for one, and to a browser that opens the root. */
@RestController
class IdentityController {
  private final IdentityCookies cookies;

  IdentityController(IdentityCookies cookies) {
    this.cookies = cookies;
  }

  @PostMapping("/api/identity")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void identity(HttpServletRequest request, HttpServletResponse response) {
    cookies.ensure(request, response);
  }

  @GetMapping(path = "/", produces = MediaType.TEXT_PLAIN_VALUE)
  String root(HttpServletRequest request, HttpServletResponse response) {
    cookies.ensure(request, response);
    return """
    Lastmile
    POST /api/operations   start asynchronous work
    GET  /api/operations   what changed
    GET  /api/stream       updates as they come
    """;
  }
}
