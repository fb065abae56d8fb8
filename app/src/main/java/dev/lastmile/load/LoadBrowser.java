package dev.lastmile.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One browser: a virtual thread that reads its stream, one that reconciles, one that acks, and the
 * page that they fill.
 */
final class LoadBrowser {
  private static final Logger LOG = LoggerFactory.getLogger(LoadBrowser.class);

  private static final int MOST_ACKS = 256;
  private static final int IDLE_ROUNDS = 6;

  private final Page page = new Page();
  private final Requests requests;
  private final JsonMapper mapper;
  private final LoadProperties properties;
  private final CountDownLatch stopped;
  private final Semaphore reconcileNow = new Semaphore(0);
  private final AtomicLong streams = new AtomicLong();
  private volatile boolean connected;

  /** As the service asked for; the reading thread's. */
  private long retryMillis = 1_000;

  /** Up to here a stream replays; the reading thread's. */
  private String readyCursor = "";

  /**
   * @param stopped ends all waits of this browser
   */
  LoadBrowser(
      Requests requests, JsonMapper mapper, LoadProperties properties, CountDownLatch stopped) {
    this.requests = requests;
    this.mapper = mapper;
    this.properties = properties;
    this.stopped = stopped;
  }

  void start(ExecutorService threads) {
    threads.execute(() -> forEver("stream", this::read));
    threads.execute(() -> forEver("reconcile", this::reconcile));
    threads.execute(() -> forEver("acks", this::ack));
  }

  Page page() {
    return page;
  }

  Requests requests() {
    return requests;
  }

  boolean isConnected() {
    return connected;
  }

  /** Streams that became ready. */
  long streams() {
    return streams.get();
  }

  private interface Round {
    void run() throws IOException, InterruptedException;
  }

  /** A round that fails is begun again after a pause, as long as the process lives. */
  private void forEver(String what, Round round) {
    try {
      while (true) {
        try {
          round.run();
        } catch (IOException | JacksonException e) {
          LOG.atDebug()
              .addKeyValue("what", what)
              .addKeyValue("error", e.toString())
              .log("load_failed");
          pause(retryMillis);
        }
      }
    } catch (InterruptedException e) {
      // The process ends.
    }
  }

  private void pause(long millis) throws InterruptedException {
    await(millis / 2 + ThreadLocalRandom.current().nextLong(millis + 1));
  }

  private void await(long millis) throws InterruptedException {
    if (stopped.await(millis, TimeUnit.MILLISECONDS)) {
      throw new InterruptedException("stopped");
    }
  }

  private void read() throws IOException, InterruptedException {
    HttpURLConnection stream = requests.stream(page.cursor());
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(stream.getInputStream(), UTF_8))) {
      String event = "";
      String id = null;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("event: ")) {
          event = line.substring(7);
        } else if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("retry: ")) {
          retryMillis = Long.parseLong(line.substring(7));
        } else if (line.startsWith("data: ")) {
          take(event, id, mapper.readTree(line.substring(6)));
        } else if (line.isEmpty()) {
          event = "";
          id = null;
        }
      }
    } finally {
      connected = false;
      stream.disconnect();
    }
    throw new IOException("the stream has ended");
  }

  private void take(String event, @Nullable String id, JsonNode data) {
    switch (event) {
      case "ready" -> {
        readyCursor = data.required("cursor").asString();
        connected = true;
        streams.incrementAndGet();
        reconcileNow.release();
      }
      case "reset" -> page.reset();
      case "update" -> {
        String operation = data.required("operationId").asString();
        page.update(operation, Requests.shown(data), via(data), id);
      }
      default -> {
        // A heartbeat: that it came is all it says.
      }
    }
  }

  /** What was there when the stream became ready is a replay. */
  private Page.Via via(JsonNode update) {
    String cursor = update.required("cursor").asString();
    int dash = readyCursor.lastIndexOf('-');
    boolean sameEpoch = cursor.startsWith(readyCursor.substring(0, dash + 1));
    long ready = Long.parseLong(readyCursor.substring(dash + 1));
    long here = Long.parseLong(cursor.substring(cursor.lastIndexOf('-') + 1));
    return sameEpoch && here <= ready ? Page.Via.REPLAY : Page.Via.LIVE;
  }

  private void reconcile() throws IOException, InterruptedException {
    int idle = 0;
    while (true) {
      boolean now =
          reconcileNow.tryAcquire(properties.reconcile().toMillis(), TimeUnit.MILLISECONDS);
      reconcileNow.drainPermits();
      idle++;
      if (now || page.isPending() || idle >= IDLE_ROUNDS) {
        idle = 0;
        Page.Question asked = page.ask();
        Requests.Listing list = requests.list(asked.cursor());
        if (!page.list(asked, list.cursor(), list.reset(), list.operations())) {
          reconcileNow.release();
        }
      }
    }
  }

  private void ack() throws IOException, InterruptedException {
    while (true) {
      List<Page.Ack> batch = page.takeAcks(MOST_ACKS);
      if (batch.isEmpty()) {
        await(properties.acks().toMillis());
      } else {
        send(batch);
      }
    }
  }

  /** All or none is taken, and twice is once: so a batch is sent until it was taken or refused. */
  private void send(List<Page.Ack> batch) throws InterruptedException {
    while (true) {
      try {
        requests.ack(batch);
        return;
      } catch (Requests.RefusedException e) {
        if (e.isFinal()) {
          // Redis may have lost what was acked.
          return;
        }
      } catch (IOException e) {
        LOG.atDebug().addKeyValue("error", e.toString()).log("load_failed");
      }
      pause(retryMillis);
    }
  }
}
