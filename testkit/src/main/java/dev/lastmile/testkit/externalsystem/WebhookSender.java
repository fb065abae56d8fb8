package dev.lastmile.testkit.externalsystem;

import io.opentelemetry.context.Context;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Sends webhooks, with retries.
 *
 * <p>A response of 2xx or 4xx ends the attempts, except 408 and 429. After any other result, the
 * next attempt goes to the next address, after a delay that doubles with each attempt. One counter
 * selects the addresses of all jobs, so that every replica receives callbacks.
 */
final class WebhookSender implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WebhookSender.class);

  private final ExternalSystemProperties properties;
  private final WebhookSigner signer;
  private final JsonMapper mapper;
  private final Clock clock;
  private final AtomicInteger turn = new AtomicInteger();
  private final ExecutorService senders = Executors.newVirtualThreadPerTaskExecutor();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("webhooks").daemon().factory());
  private final HttpClient http;

  WebhookSender(ExternalSystemProperties properties, JsonMapper mapper, Clock clock) {
    this.properties = properties;
    this.signer = new WebhookSigner(properties.secrets().getFirst());
    this.mapper = mapper;
    this.clock = clock;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(properties.timeout())
            .build();
  }

  /** Sends a report after a delay. Never blocks. */
  void send(Job job, Job.Report report, Duration delay) {
    // The body names the operation too, because the signature does not cover the path.
    ObjectNode named = mapper.valueToTree(report);
    byte[] body = mapper.writeValueAsBytes(named.put("operationId", job.id()));
    later(delay, () -> attempt(job, "msg_" + UUID.randomUUID(), body, 1));
  }

  private void later(Duration delay, Runnable attempt) {
    // A report starts a trace of its own, separate from the submission of the job.
    Runnable sending = () -> senders.execute(Context.root().wrap(attempt));
    var _ = timer.schedule(sending, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void attempt(Job job, String webhookId, byte[] body, int number) {
    List<String> urls = job.callbackUrls();
    String url = urls.get(Math.floorMod(turn.getAndIncrement(), urls.size()));
    String outcome;
    try {
      long timestamp = clock.instant().getEpochSecond();
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(url))
              .timeout(properties.timeout())
              .header("Content-Type", "application/json")
              .header("webhook-id", webhookId)
              .header("webhook-timestamp", Long.toString(timestamp))
              .header("webhook-signature", signer.sign(webhookId, timestamp, body))
              .POST(HttpRequest.BodyPublishers.ofByteArray(body))
              .build();
      int status = http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      if (status < 500 && status != 429 && status != 408) {
        LOG.atDebug()
            .addKeyValue("operation_id", job.id())
            .addKeyValue("url", url)
            .addKeyValue("status", status)
            .log("webhook_answered");
        return;
      }
      outcome = "HTTP " + status;
    } catch (IOException e) {
      outcome = e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    if (number >= properties.attempts()) {
      LOG.atWarn()
          .addKeyValue("operation_id", job.id())
          .addKeyValue("outcome", outcome)
          .log("webhook_given_up");
      return;
    }
    later(backoff(number), () -> attempt(job, webhookId, body, number + 1));
  }

  private Duration backoff(int failures) {
    long most = properties.maxBackoff().toMillis();
    long full = Math.min(most, properties.minBackoff().toMillis() << Math.min(failures - 1, 16));
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(full / 2, full + 1));
  }

  @Override
  public void close() {
    timer.shutdownNow();
    senders.shutdownNow();
  }
}
