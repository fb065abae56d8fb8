package dev.lastmile.identity;

import dev.lastmile.identity.RateLimits.Limited;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import org.springframework.context.annotation.Profile;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** What a browser sees that opens the root; under the profile {@code demo} that is a page. */
@RestController
@Profile("!demo")
class RootController {
  @Operation(
      operationId = "root",
      summary = "Gives an identity to a browser that opens the root",
      tags = "identity")
  @ApiResponse(responseCode = "200", ref = "Text")
  @ApiResponse(responseCode = "429", ref = "TooOften")
  @Limited(RateLimits.Limit.IDENTITIES_PER_ADDRESS)
  @GetMapping(path = "/", produces = MediaType.TEXT_PLAIN_VALUE)
  String root() {
    return """
    Lastmile
    POST /api/operations   start asynchronous work
    GET  /api/operations   what changed
    GET  /api/stream       updates as they come
    """;
  }
}
