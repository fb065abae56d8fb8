package dev.lastmile.connections;

import dev.lastmile.identity.Identities;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.InvalidValueException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /api/stream}, in front of the servlet context: a stream costs no servlet, no async
 * context and no observation.
 *
 * <p>The answer begins when state has been read: {@code ready}, then what the client missed, then
 * what was held meanwhile, then what comes. The connection is registered before that read, so no
 * update can fall between the two.
 *
 * <p>For HTTP/1.1, where a stream has its connection to itself: ending a stream cuts that
 * connection.
 */
final class StreamHandler extends Handler.Wrapper {
  private static final String PATH = "/api/stream";

  private final Registry registry;
  private final Dispatcher dispatcher;
  private final Expectations expectations;
  private final Identities identities;
  private final StreamProperties properties;
  private final Replica replica;
  private final LongSupplier nanos;

  StreamHandler(
      Registry registry,
      Dispatcher dispatcher,
      Expectations expectations,
      Identities identities,
      StreamProperties properties,
      Replica replica,
      LongSupplier nanos) {
    this.registry = registry;
    this.dispatcher = dispatcher;
    this.expectations = expectations;
    this.identities = identities;
    this.properties = properties;
    this.replica = replica;
    this.nanos = nanos;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    if (!PATH.equals(Request.getPathInContext(request))) {
      return super.handle(request, response, callback);
    }
    if (!HttpMethod.GET.is(request.getMethod())) {
      Problems.methodNotAllowed(response, callback);
      return true;
    }
    if (request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING)
        || request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH) > 0) {
      Problems.body(response, callback);
      return true;
    }
    Optional<Channel> channel = channel(request);
    if (channel.isEmpty()) {
      Problems.unauthorized(response, callback);
      return true;
    }
    Cursor resume;
    try {
      resume = cursor(request);
    } catch (InvalidValueException e) {
      Problems.badCursor(response, callback, e.field(), e.limit());
      return true;
    }
    open(channel.get(), resume, request, response, callback);
    return true;
  }

  private void open(
      Channel channel,
      @Nullable Cursor resume,
      Request request,
      Response response,
      Callback callback) {
    Connection connection =
        new Connection(channel, resume, properties, replica.name(), nanos.getAsLong());
    EndPoint endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
    connection.writeWith(
        new StreamWriter(
            connection,
            registry,
            dispatcher.reconciler(),
            expectations,
            nanos,
            endPoint,
            response,
            callback));
    // Before it is registered: from then on a reader may begin the answer.
    prepare(response);
    switch (registry.add(connection)) {
      case REPLICA_FULL ->
          Problems.full(
              response, callback, "lastmile.stream.max-connections", properties.maxConnections());
      case IDENTITY_FULL ->
          Problems.full(
              response,
              callback,
              "lastmile.stream.max-connections-per-identity",
              properties.maxConnectionsPerIdentity());
      case SHUTTING_DOWN, DEAF -> Problems.unavailable(response, callback);
      case ADMITTED -> begin(connection, endPoint);
    }
  }

  private static void prepare(Response response) {
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/event-stream");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    response.getHeaders().put("X-Accel-Buffering", "no");
    response.getHeaders().put("X-Content-Type-Options", "nosniff");
  }

  private void begin(Connection connection, EndPoint endPoint) {
    // Silence is ours to judge: heartbeats and the write time-out, not Jetty's idle time-out.
    endPoint.setIdleTimeout(0);
    dispatcher.reconciler().request(connection.group());
    new HangUpWatch(endPoint, connection, registry).start();
  }

  private Optional<Channel> channel(Request request) {
    for (HttpCookie cookie : Request.getCookies(request)) {
      if (Identities.COOKIE.equals(cookie.getName())) {
        return identities.channelOf(cookie.getValue());
      }
    }
    return Optional.empty();
  }

  private static @Nullable Cursor cursor(Request request) {
    String header = request.getHeaders().get("Last-Event-ID");
    if (header != null && !header.isEmpty()) {
      return Cursor.parse("Last-Event-ID", header);
    }
    String query = request.getHttpURI().getQuery();
    if (query == null) {
      return null;
    }
    Fields fields = Request.extractQueryParameters(request, StandardCharsets.UTF_8);
    String parameter = fields.getValue("lastEventId");
    return parameter == null || parameter.isEmpty() ? null : Cursor.parse("lastEventId", parameter);
  }
}
