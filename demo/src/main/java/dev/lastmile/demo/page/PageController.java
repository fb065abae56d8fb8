package dev.lastmile.demo.page;

import dev.lastmile.identity.RateLimits;
import dev.lastmile.identity.RateLimits.Limited;
import java.io.IOException;
import java.io.InputStream;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The page, with a policy that lets it load and ask nothing but this server. */
@RestController
class PageController {
  private static final String POLICY =
      String.join(
          "; ",
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "img-src 'self'",
          "connect-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'");

  private final byte[] page;

  PageController() throws IOException {
    try (InputStream in = PageController.class.getResourceAsStream("/demo/index.html")) {
      if (in == null) {
        throw new IllegalStateException("the page is missing in the jar");
      }
      page = in.readAllBytes();
    }
  }

  @Limited(RateLimits.Limit.IDENTITIES_PER_ADDRESS)
  @GetMapping("/")
  ResponseEntity<byte[]> page() {
    return ResponseEntity.ok()
        .contentType(MediaType.TEXT_HTML)
        .cacheControl(CacheControl.noCache())
        .header("Content-Security-Policy", POLICY)
        .body(page);
  }
}
