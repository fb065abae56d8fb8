package dev.lastmile.identity;

import dev.lastmile.identity.RateLimits.Limited;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Issues an identity to a client that requests one. */
@RestController
class IdentityController {
  private final IdentityCookies cookies;

  IdentityController(IdentityCookies cookies) {
    this.cookies = cookies;
  }

  @Limited(RateLimits.Limit.IDENTITIES_PER_ADDRESS)
  @PostMapping("/api/identity")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void identity(HttpServletRequest request, HttpServletResponse response) {
    cookies.ensure(request, response);
  }
}
