package dev.lastmile.http;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Adds security headers to every response (<a
 * href="https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html">OWASP</a>).
 *
 * <p>The values are the strictest ones. A header that the endpoint has set stays, as a page needs
 * it. This handler is the first, so streams and errors get the headers too. They are added when the
 * response starts.
 */
final class SecurityHeaders extends Handler.Wrapper {
  /** Sent over TLS only. One year is the minimum for the browsers' preload lists. */
  private static final HttpField HSTS =
      new PreEncodedHttpField("Strict-Transport-Security", "max-age=31536000");

  private static final HttpField[] ALWAYS = {
    new PreEncodedHttpField(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    new PreEncodedHttpField("X-Content-Type-Options", "nosniff"),
    new PreEncodedHttpField("Referrer-Policy", "no-referrer"),
    new PreEncodedHttpField("Cross-Origin-Resource-Policy", "same-origin"),
    new PreEncodedHttpField("Cache-Control", "no-store"),
  };

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    Response withHeaders =
        new Response.Wrapper(request, response) {
          @Override
          public void write(boolean last, ByteBuffer bytes, Callback written) {
            if (!isCommitted()) {
              add(request, getHeaders());
            }
            super.write(last, bytes, written);
          }
        };
    return super.handle(request, withHeaders, callback);
  }

  /** Adds the headers that are missing. */
  static void add(Request request, HttpFields.Mutable headers) {
    for (HttpField field : ALWAYS) {
      if (!headers.contains(field.getName())) {
        headers.add(field);
      }
    }
    if (request.isSecure()) {
      headers.put(HSTS);
    }
  }
}
