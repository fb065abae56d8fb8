package dev.lastmile.connections;

import dev.lastmile.identity.Identities;
import dev.lastmile.identity.RateLimits;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.InvalidValueException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.ConnectionMetaData;
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
  private final RateLimits rates;
  private final StreamProperties properties;
  private final Replica replica;
  private final LongSupplier nanos;
  private final Counter crossSite;

  StreamHandler(
      Registry registry,
      Dispatcher dispatcher,
      Expectations expectations,
      Identities identities,
      RateLimits rates,
      StreamProperties properties,
      Replica replica,
      LongSupplier nanos,
      MeterRegistry meters) {
    this.registry = registry;
    this.dispatcher = dispatcher;
    this.expectations = expectations;
    this.identities = identities;
    this.rates = rates;
    this.properties = properties;
    this.replica = replica;
    this.nanos = nanos;
    this.crossSite = Metric.REQUESTS_REFUSED.counter(meters, "cross_site");
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    if (!PATH.equals(Request.getPathInContext(request))) {
      return super.handle(request, response, callback);
    }
    // The selector reads all connections; ten thousand streams at once would keep it from that.
    request.getComponents().getExecutor().execute(() -> serve(request, response, callback));
    return true;
  }

  private void serve(Request request, Response response, Callback callback) {
    try {
      answer(request, response, callback);
    } catch (Throwable e) {
      Response.writeError(request, response, callback, e);
    }
  }

  private void answer(Request request, Response response, Callback callback) {
    if (!HttpMethod.GET.is(request.getMethod())) {
      Problems.methodNotAllowed(response, callback);
      return;
    }
    if (request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING)
        || request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH) > 0) {
      Problems.body(response, callback);
      return;
    }
    if (isForAnotherSite(request)) {
      crossSite.increment();
      Problems.crossSite(response, callback);
      return;
    }
    Optional<Channel> channel = channel(request);
    if (channel.isEmpty()) {
      Problems.unauthorized(response, callback);
      return;
    }
    Cursor resume;
    try {
      resume = cursor(request);
    } catch (InvalidValueException e) {
      Problems.badCursor(response, callback, e.field(), e.limit());
      return;
    }
    long seconds = rates.take(Limit.STREAMS, channel.get());
    if (seconds > 0) {
      Problems.tooOften(response, callback, seconds, rates.most(Limit.STREAMS));
    } else {
      open(channel.get(), resume, request, response, callback);
    }
  }

  private void open(
      Channel channel,
      @Nullable Cursor resume,
      Request request,
      Response response,
      Callback callback) {
    Connection connection =
        new Connection(channel, resume, properties, replica.name(), nanos.getAsLong());
    connection.comesFrom(Request.getRemoteAddr(request));
    ConnectionMetaData http = request.getConnectionMetaData();
    EndPoint endPoint = http.getConnection().getEndPoint();
    StreamSocket socket = new StreamSocket(endPoint, http.getConnector(), connection, registry);
    connection.writeWith(
        new StreamWriter(
            connection,
            registry,
            dispatcher.reconciler(),
            expectations,
            nanos,
            socket,
            http.getHttpVersion() != HttpVersion.HTTP_1_0,
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
      case ADDRESS_FULL ->
          Problems.full(
              response,
              callback,
              "lastmile.stream.max-connections-per-address",
              properties.maxConnectionsPerAddress());
      case SHUTTING_DOWN, DEAF -> Problems.unavailable(response, callback);
      case ADMITTED -> begin(connection, socket);
    }
  }

  private static void prepare(Response response) {
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/event-stream");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    response.getHeaders().put("X-Accel-Buffering", "no");
    // In chunks, whatever the client says of its connection: readers of some languages wait for
    // whole buffers of
    // a body that only ends with its connection. It ends with it all the same.
    response.getHeaders().put(HttpHeader.TRANSFER_ENCODING, "chunked");
    response.getHeaders().put(HttpHeader.CONNECTION, "close");
  }

  private void begin(Connection connection, StreamSocket socket) {
    // Silence is ours to judge: heartbeats and the write time-out, not Jetty's idle time-out.
    socket.getEndPoint().setIdleTimeout(0);
    socket.watch();
    dispatcher.reconciler().request(connection.group());
  }

  private Optional<Channel> channel(Request request) {
    return identities.channelOf(
        Request.getCookies(request).stream()
            .filter(cookie -> Identities.COOKIE.equals(cookie.getName()))
            .map(HttpCookie::getValue)
            .toList());
  }

  /**
   * A page of another site cannot read the stream, but with the cookie of a user who looks at it,
   * it could take all places that this user's own tabs have.
   */
  private static boolean isForAnotherSite(Request request) {
    String site = request.getHeaders().get("Sec-Fetch-Site");
    return site != null && !site.equals("same-origin") && !site.equals("none");
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
