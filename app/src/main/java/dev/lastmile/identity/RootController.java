package dev.lastmile.identity;

import dev.lastmile.identity.RateLimits.Limited;
import org.springframework.context.annotation.Profile;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Serves the root as plain text. The demo, whose profile is {@code demo}, serves its page instead.
 */
@RestController
@Profile("!demo")
class RootController {
  @Limited(RateLimits.Limit.IDENTITIES_PER_ADDRESS)
  @GetMapping(path = "/", produces = MediaType.TEXT_PLAIN_VALUE)
  String root() {
    return """
    Lastmile
    POST /api/operations   start asynchronous work
    GET  /api/operations   changes after a cursor
    GET  /api/stream       updates as server-sent events
    """;
  }
}
