package dev.lastmile.interop;

import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.MessageEvent;
import com.launchdarkly.eventsource.StreamException;
import com.standardwebhooks.Webhook;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Maven's okhttp-eventsource, or the JDK's own client; standardwebhooks signs. */
final class JavaClient implements Client {
  private final boolean okhttp;
  private final URI replica;
  private final String cookie;
  private final String secret;
  private HttpClient http = HttpClient.newHttpClient();
  private EventSource source;

  JavaClient(boolean okhttp, URI replica, String cookie, String secret) {
    this.okhttp = okhttp;
    this.replica = replica;
    this.cookie = cookie;
    this.secret = secret;
  }

  private static String jar(Class<?> type) {
    String path = type.getProtectionDomain().getCodeSource().getLocation().getPath();
    return Path.of(path).getFileName().toString().replaceFirst("-([0-9][^-]*)\\.jar", " $1");
  }

  @Override
  public String stream() {
    return okhttp
        ? jar(EventSource.class) + " (" + jar(okhttp3.OkHttpClient.class) + ")"
        : "java.net.http.HttpClient (JDK " + Runtime.version() + ")";
  }

  @Override
  public String webhook() {
    return okhttp ? "" : jar(Webhook.class) + " (Maven)";
  }

  @Override
  public boolean reconnects() {
    return okhttp;
  }

  @Override
  public void listen(String lastEventId, Heard heard) throws Exception {
    URI stream = replica.resolve("/api/stream");
    if (okhttp) {
      source =
          new EventSource.Builder(ConnectStrategy.http(stream).header("Cookie", cookie))
              .retryDelay(100, null)
              .build();
      Thread.ofVirtual().start(() -> read(heard));
      return;
    }
    HttpRequest.Builder request = HttpRequest.newBuilder(stream).header("Cookie", cookie);
    if (!lastEventId.isEmpty()) {
      request.header("Last-Event-ID", lastEventId);
    }
    LineReader.read(http.send(request.build(), HttpResponse.BodyHandlers.ofLines()).body(), heard);
  }

  private void read(Heard heard) {
    while (true) {
      try {
        MessageEvent event = source.readMessage();
        String id = event.getEventName().equals("update") ? event.getLastEventId() : "";
        heard.add(Event.of(event.getEventName(), id, event.getData()));
      } catch (com.launchdarkly.eventsource.StreamClosedByCallerException e) {
        return;
      } catch (StreamException e) {
        // It comes back with the next read.
      }
    }
  }

  @Override
  public int ack(String operationId, long version) throws Exception {
    String body =
        "{\"acks\":[{\"operationId\":\"%s\",\"version\":%d,\"via\":\"replay\"}]}"
            .formatted(operationId, version);
    return send(request("/api/acks", body).header("Cookie", cookie)).statusCode();
  }

  @Override
  public String callback(String operationId, String body) throws Exception {
    long now = Instant.now().getEpochSecond();
    return send(request("/api/callbacks/" + operationId, body)
            .header("webhook-id", "msg_maven")
            .header("webhook-timestamp", Long.toString(now))
            .header("webhook-signature", new Webhook(secret).sign("msg_maven", now, body)))
        .body();
  }

  private HttpRequest.Builder request(String path, String body) {
    return HttpRequest.newBuilder(replica.resolve(path))
        .timeout(Duration.ofSeconds(10))
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Override
  public void close() {
    if (source != null) {
      source.close();
    }
    http.shutdownNow();
    http = HttpClient.newHttpClient();
  }
}
