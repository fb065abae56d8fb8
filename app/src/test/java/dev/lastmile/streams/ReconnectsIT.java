package dev.lastmile.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import io.restassured.path.json.JsonPath;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * A client that drops and resumes a thousand times while updates are published without pause.
 *
 * <p>A witness that never drops writes down which sequence was which version of which operation.
 * The books are compared afterwards: whenever the client stood at a sequence, it must have known
 * every operation at least as well as that sequence.
 */
class ReconnectsIT {
  private static final int RECONNECTS = Integer.getInteger("lastmile.reconnects", 1_000);
  private static final int PUBLISHERS = 4;
  private static final int OPERATIONS = 4;
  private static final Pattern UPDATE =
      Pattern.compile("\"operationId\":\"([^\"]+)\".*\"version\":(\\d+)");

  private final Cluster cluster = Cluster.shared();
  private final Browser browser = Browser.at(cluster.replica(1));

  private record Seen(long sequence, String operation, long version) {}

  /** One life of the flaky client's stream, as it was received. */
  private record Life(long resumedAfter, long readyHead, List<Seen> seen) {}

  @Test
  void aThousandReconnectsMissNothingAndGoNeverBack() throws Exception {
    List<String> operations = new ArrayList<>();
    List<Seen> book = new ArrayList<>();
    SseClient witness =
        browser.stream(
            cluster.replica(1),
            "",
            event -> {
              if (event.name().equals("update")) {
                book.add(seen(event));
              }
            });
    witness.awaitReady();
    for (int i = 0; i < OPERATIONS; i++) {
      operations.add(browser.create(cluster.replica(1 + i % 3)));
    }
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger stored = new AtomicInteger(OPERATIONS);
    List<Life> lives = new ArrayList<>();
    try (ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS)) {
      for (int p = 0; p < PUBLISHERS; p++) {
        int publisher = p;
        publishers.submit(() -> publish(publisher, operations, stop, stored));
      }
      try {
        dropAndResume(lives);
      } finally {
        stop.set(true);
      }
    }
    Awaitility.await("the witness to have seen all of " + stored)
        .until(() -> book.size() == stored.get());
    lives.add(last(lives, book));
    witness.close();

    verifyWitness(book);
    verifyClient(book, lives);
  }

  private void publish(
      int publisher, List<String> operations, AtomicBoolean stop, AtomicInteger stored) {
    Webhooks webhooks = new Webhooks(cluster.secret());
    for (long revision = 1; !stop.get(); revision++) {
      for (int i = publisher; i < OPERATIONS; i += PUBLISHERS) {
        int replica = 1 + (int) ((revision + i) % 3);
        String body = Webhooks.running(revision, (int) (revision % 100));
        assertThat(webhooks.outcome(cluster.replica(replica), operations.get(i), body))
            .isEqualTo("stored");
        stored.incrementAndGet();
      }
    }
  }

  private void dropAndResume(List<Life> lives) throws InterruptedException {
    Random random = new Random(4_711);
    String cursor = "";
    for (int i = 0; i < RECONNECTS; i++) {
      int enough = random.nextInt(6);
      CountDownLatch received = new CountDownLatch(enough);
      Recording recording = new Recording(received);
      SseClient stream =
          browser.stream(cluster.replica(1 + random.nextInt(3)), cursor, recording::take);
      if (random.nextInt(10) > 0) {
        assertThat(recording.ready.await(20, TimeUnit.SECONDS)).as("ready").isTrue();
        assertThat(received.await(20, TimeUnit.SECONDS)).as("updates go on").isTrue();
      }
      stream.close();
      Life life = recording.end(cursor.isEmpty() ? 0 : sequence(cursor));
      lives.add(life);
      if (!life.seen().isEmpty()) {
        cursor = recording.lastId;
      }
    }
  }

  private Life last(List<Life> lives, List<Seen> book) {
    long resumed = lives.getLast().resumedAfter();
    Recording recording = new Recording(new CountDownLatch(0));
    String cursor = browser.list(cluster.replica(1), "").path("cursor");
    for (Life life : lives) {
      resumed = life.seen().isEmpty() ? resumed : life.seen().getLast().sequence();
    }
    String after = cursor.replaceFirst("-\\d+-", "-" + resumed + "-");
    try (SseClient stream = browser.stream(cluster.replica(2), after, recording::take)) {
      stream.awaitReady();
      long head = book.getLast().sequence();
      long from = resumed;
      Awaitility.await("the head").until(() -> from == head || recording.lastSequence() == head);
    }
    return recording.end(resumed);
  }

  private static void verifyWitness(List<Seen> book) {
    for (int i = 0; i < book.size(); i++) {
      assertThat(book.get(i).sequence()).as("sequences have no holes").isEqualTo(i + 1);
    }
  }

  private static void verifyClient(List<Seen> book, List<Life> lives) {
    Map<String, Long> known = new HashMap<>();
    int received = 0;
    int duplicates = 0;
    int missed = 0;
    for (Life life : lives) {
      long position = life.resumedAfter();
      for (Seen seen : life.seen()) {
        received++;
        duplicates += seen.sequence() <= position ? 1 : 0;
        position = Math.max(position, seen.sequence());
        long before = known.getOrDefault(seen.operation(), 0L);
        assertThat(seen.version()).as("no version goes back").isGreaterThan(before);
        known.put(seen.operation(), seen.version());
        // From the end of the replay on, everything up to here has to be known.
        if (life.readyHead() >= 0 && seen.sequence() >= life.readyHead()) {
          missed += missing(book, known, seen.sequence());
        }
      }
    }
    missed += missing(book, known, book.size());
    System.out.printf(
        "REPORT reconnects=%d published=%d received=%d missed=%d duplicates=%d%n",
        lives.size(), book.size(), received, missed, duplicates);
    assertThat(missed).as("missed").isZero();
    assertThat(duplicates).as("duplicates").isZero();
    assertThat(received).as("the test saw something").isGreaterThan(RECONNECTS);
  }

  private static int missing(List<Seen> book, Map<String, Long> known, long upTo) {
    int missing = 0;
    for (Seen published : book.subList(0, (int) upTo)) {
      missing += known.getOrDefault(published.operation(), 0L) < published.version() ? 1 : 0;
    }
    return missing;
  }

  private static Seen seen(SseClient.Event event) {
    Matcher matcher = UPDATE.matcher(event.data());
    assertThat(matcher.find()).isTrue();
    return new Seen(sequence(event.id()), matcher.group(1), Long.parseLong(matcher.group(2)));
  }

  private static long sequence(String cursor) {
    return Long.parseLong(cursor.split("-", -1)[1]);
  }

  /** What one stream has brought until it was dropped; later events do not count. */
  private static final class Recording {
    private final List<Seen> seen = new ArrayList<>();
    private final CountDownLatch ready = new CountDownLatch(1);
    private final CountDownLatch received;
    private long readyHead = -1;
    private String lastId = "";
    private boolean ended;

    Recording(CountDownLatch received) {
      this.received = received;
    }

    synchronized void take(SseClient.Event event) {
      if (ended) {
        return;
      }
      switch (event.name()) {
        case "ready" -> {
          readyHead = sequence(new JsonPath(event.data()).getString("cursor"));
          ready.countDown();
        }
        case "update" -> {
          seen.add(ReconnectsIT.seen(event));
          lastId = event.id();
          received.countDown();
        }
        case "heartbeat" -> {}
        default -> throw new AssertionError("unexpected " + event);
      }
    }

    synchronized long lastSequence() {
      return seen.isEmpty() ? -1 : seen.getLast().sequence();
    }

    synchronized Life end(long resumedAfter) {
      ended = true;
      return new Life(resumedAfter, readyHead, List.copyOf(seen));
    }
  }
}
