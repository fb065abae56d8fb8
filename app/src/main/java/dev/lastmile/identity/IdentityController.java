package dev.lastmile.identity;

import dev.lastmile.identity.RateLimits.Limited;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Gives an identity to a program that asks for one. */
@RestController
class IdentityController {
  private final IdentityCookies cookies;

  IdentityController(IdentityCookies cookies) {
    this.cookies = cookies;
  }

  @Operation(
      operationId = "identity",
      summary = "Gives an identity to whoever has none",
      tags = "identity")
  @ApiResponse(responseCode = "204", ref = "Identified")
  @ApiResponse(responseCode = "403", ref = "CrossSite")
  @ApiResponse(responseCode = "429", ref = "TooOften")
  @Limited(RateLimits.Limit.IDENTITIES_PER_ADDRESS)
  @PostMapping("/api/identity")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void identity(HttpServletRequest request, HttpServletResponse response) {
    cookies.ensure(request, response);
  }
}
