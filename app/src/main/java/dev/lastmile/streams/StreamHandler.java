package dev.lastmile.streams;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.http.HandlerOrder;
import dev.lastmile.http.JettyProblems;
import dev.lastmile.http.RequestProblem;
import dev.lastmile.identity.IdentityTokens;
import dev.lastmile.identity.RateLimits;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.ClientCursor;
import dev.lastmile.updates.Cursor;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
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
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;

/**
 * Serves {@code GET /api/stream} in front of the servlet context, so a stream needs no servlet,
 * async context or observation.
 *
 * <p>The response starts after state has been read: {@code ready}, the updates that the client
 * missed, the updates held during the read, then live updates. The connection is registered before
 * that read, so no update is lost between the two.
 *
 * <p>HTTP/1.1 only: a stream has its TCP connection to itself, and closing the stream closes that
 * connection.
 */
@Component
@Order(HandlerOrder.STREAMS)
final class StreamHandler extends Handler.Wrapper {
  private static final String PATH = "/api/stream";

  private final StreamRegistry registry;
  private final Dispatcher dispatcher;
  private final IdentityTokens tokens;
  private final RateLimits rates;
  private final StreamProperties properties;
  private final StreamMemory memory;
  private final Replica replica;
  private final Ticker ticker;
  private final Counter crossSite;

  StreamHandler(
      StreamRegistry registry,
      Dispatcher dispatcher,
      IdentityTokens tokens,
      RateLimits rates,
      StreamProperties properties,
      StreamMemory memory,
      Replica replica,
      Ticker ticker,
      MeterRegistry meters) {
    this.registry = registry;
    this.dispatcher = dispatcher;
    this.tokens = tokens;
    this.rates = rates;
    this.properties = properties;
    this.memory = memory;
    this.replica = replica;
    this.ticker = ticker;
    this.crossSite = Metric.REQUESTS_REJECTED.counter(meters, "cross_site");
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    if (!PATH.equals(Request.getPathInContext(request))) {
      return super.handle(request, response, callback);
    }
    // Not on the selector thread, which serves all connections: ten thousand new streams would
    // block it.
    request.getComponents().getExecutor().execute(() -> serve(request, response, callback));
    return true;
  }

  private void serve(Request request, Response response, Callback callback) {
    try {
      check(request);
      Channel channel = channel(request).orElseThrow(IdentityTokens::unauthorized);
      Cursor resume = cursor(request, channel);
      rates.take(Limit.STREAMS, channel.value());
      open(channel, resume, request, response, callback);
    } catch (Throwable e) {
      JettyProblems.write(request, response, callback, e);
    }
  }

  /** Rejects a request that cannot open a stream. The problem contains nothing from the request. */
  private void check(Request request) {
    if (!HttpMethod.GET.is(request.getMethod())) {
      RequestProblem problem =
          new RequestProblem(HttpStatus.METHOD_NOT_ALLOWED, "only GET is allowed");
      problem.getHeaders().set(HttpHeaders.ALLOW, "GET");
      throw problem;
    }
    if (request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING)
        || request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH) > 0) {
      throw new RequestProblem(
          HttpStatus.BAD_REQUEST, "the request must not have a body", "body", "empty");
    }
    if (isForAnotherSite(request)) {
      crossSite.increment();
      String allowed = "same-origin or none";
      throw new RequestProblem(
          HttpStatus.FORBIDDEN, "Sec-Fetch-Site must be " + allowed, "Sec-Fetch-Site", allowed);
    }
  }

  private void open(
      Channel channel,
      @Nullable Cursor resume,
      Request request,
      Response response,
      Callback callback) {
    StreamConnection connection =
        new StreamConnection(
            channel,
            resume,
            Request.getRemoteAddr(request),
            properties,
            memory,
            replica.name(),
            ticker.read());
    ConnectionMetaData http = request.getConnectionMetaData();
    EndPoint endPoint = http.getConnection().getEndPoint();
    StreamSocket socket = new StreamSocket(endPoint, http.getConnector(), connection, registry);
    connection.writeWith(
        new StreamWriter(
            connection,
            registry,
            dispatcher.reconciler(),
            ticker,
            socket,
            http.getHttpVersion() != HttpVersion.HTTP_1_0,
            response,
            callback));
    // Before registration, because afterwards a reader may start the response.
    prepare(response);
    StreamRegistry.Admission admission = registry.add(connection);
    if (admission != StreamRegistry.Admission.ADMITTED) {
      StreamWriter.withdrawHeaders(response);
      throw rejection(admission);
    }
    // Heartbeats and the write timeout detect dead clients here, so Jetty's idle timeout is off.
    endPoint.setIdleTimeout(0);
    // From now on the socket detects the client's disconnect.
    socket.fillInterested();
    dispatcher.reconciler().request(connection.group());
  }

  private RequestProblem rejection(StreamRegistry.Admission admission) {
    return switch (admission) {
      case REPLICA_FULL -> full("max-connections", properties.maxConnections());
      case IDENTITY_FULL ->
          full("max-connections-per-identity", properties.maxConnectionsPerIdentity());
      case ADDRESS_FULL ->
          full("max-connections-per-address", properties.maxConnectionsPerAddress());
      case SHUTTING_DOWN, STALLED -> unavailable();
      case ADMITTED -> throw new IllegalStateException("admitted");
    };
  }

  private static RequestProblem full(String property, int limit) {
    String field = "lastmile.stream." + property;
    String detail = "too many streams: at most " + limit + " (" + field + ")";
    return new RequestProblem(HttpStatus.SERVICE_UNAVAILABLE, detail, field, limit).retryAfter(1);
  }

  /** 503: the replica rejects streams, or the state cannot be read. */
  static RequestProblem unavailable() {
    return new RequestProblem(
            HttpStatus.SERVICE_UNAVAILABLE, "the stream cannot start now; retry later")
        .retryAfter(1);
  }

  private static void prepare(Response response) {
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/event-stream");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    response.getHeaders().put("X-Accel-Buffering", "no");
    // Always chunked: HTTP clients of some languages buffer a body that ends with its connection.
    // The response still ends with the connection.
    response.getHeaders().put(HttpHeader.TRANSFER_ENCODING, "chunked");
    response.getHeaders().put(HttpHeader.CONNECTION, "close");
  }

  private Optional<Channel> channel(Request request) {
    return tokens.channelOf(
        Request.getCookies(request).stream()
            .filter(cookie -> IdentityTokens.COOKIE.equals(cookie.getName()))
            .map(HttpCookie::getValue)
            .toList());
  }

  /**
   * Whether a page of another site sent the request. Such a page cannot read the stream. But with
   * the user's cookie it could use up all streams that the user's own tabs need.
   */
  private static boolean isForAnotherSite(Request request) {
    String site = request.getHeaders().get("Sec-Fetch-Site");
    return site != null && !site.equals("same-origin") && !site.equals("none");
  }

  private static @Nullable Cursor cursor(Request request, Channel channel) {
    String header = request.getHeaders().get("Last-Event-ID");
    if (header != null && !header.isEmpty()) {
      return ClientCursor.parse("Last-Event-ID", header, channel);
    }
    String query = request.getHttpURI().getQuery();
    if (query == null) {
      return null;
    }
    Fields fields = Request.extractQueryParameters(request, StandardCharsets.UTF_8);
    String parameter = fields.getValue("lastEventId");
    return parameter == null || parameter.isEmpty()
        ? null
        : ClientCursor.parse("lastEventId", parameter, channel);
  }
}
