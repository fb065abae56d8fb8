package dev.lastmile.testkit.browser;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * The acks of one browser: batched, sent until a replica takes them, given up when refused.
 *
 * <p>Any thread adds, one sends. An ack of an epoch that is over is dropped.
 */
final class AckSender {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int MOST_PER_REQUEST = 256;
  private static final int MOST_WAITING = 100_000;

  private record Ack(String operationId, long version, String via, String epoch) {}

  private final BrowserRequests requests;
  private final SimulatedPage page;
  private final BlockingQueue<Ack> waiting = new LinkedBlockingQueue<>(MOST_WAITING);
  private final AtomicLong refused = new AtomicLong();

  AckSender(BrowserRequests requests, SimulatedPage page) {
    this.requests = requests;
    this.page = page;
  }

  void add(String operationId, SimulatedPage.Shown update, String via) {
    waiting.offer(new Ack(operationId, update.version(), via, update.at().epoch()));
  }

  /** Acks that were answered with 4xx. */
  long refused() {
    return refused.get();
  }

  /** Sends what waits, batch by batch, until the crowd closes. */
  void send(Duration pause, BooleanSupplier isAsleep) throws InterruptedException {
    while (true) {
      requests.pause(pause);
      List<Ack> batch = new ArrayList<>();
      if (!isAsleep.getAsBoolean()) {
        waiting.drainTo(batch, MOST_PER_REQUEST);
      }
      batch.removeIf(ack -> !ack.epoch().equals(page.epoch()));
      if (!batch.isEmpty()) {
        HttpResponse<String> answer =
            requests.ask(BrowserRequests.acks(body(batch)), BrowserRequests.FOR_EVER);
        refused.addAndGet(answer.statusCode() == 204 ? 0 : batch.size());
      }
    }
  }

  private static String body(List<Ack> batch) {
    List<Map<String, ?>> items = new ArrayList<>();
    for (Ack ack : batch) {
      items.add(
          Map.of("operationId", ack.operationId(), "version", ack.version(), "via", ack.via()));
    }
    return JSON.writeValueAsString(Map.of("acks", items));
  }
}
