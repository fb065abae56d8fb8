package dev.lastmile;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Gives every answer the headers that keep a browser from doing more with it than it should (<a
 * href="https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html">OWASP</a>):
 * the strictest, unless whoever answers has set one himself, as a page has to.
 *
 * <p>In front of everything, streams and errors included; they are added when the answer begins.
 */
final class SecureHeaders extends Handler.Wrapper {
  /** Over TLS only; a year, the least that browsers' lists take. */
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
    return super.handle(request, new Answer(request, response), callback);
  }

  /** Adds those that are not there yet. */
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

  private static final class Answer extends Response.Wrapper {
    Answer(Request request, Response wrapped) {
      super(request, wrapped);
    }

    @Override
    public void write(boolean last, ByteBuffer bytes, Callback callback) {
      if (!isCommitted()) {
        add(getRequest(), getHeaders());
      }
      super.write(last, bytes, callback);
    }
  }
}
