package dev.lastmile.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.SseClient;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import io.restassured.response.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Several identities act at the same time, at random and on all replicas. None of them receives an
 * operation, an event or a timeline of another one, or can ack for it. Each one tries, with
 * operation ids and cursors of the others.
 */
class IsolationIT {
  private static final int STEPS = 120;
  private static final Pattern OPERATION = Pattern.compile("op[0-9a-f]-[0-9a-f]{32}");

  private final Cluster cluster = Cluster.shared();
  private final Webhooks webhooks = new Webhooks(cluster.secret());

  /** The number of the identity that created an operation, by operation. */
  private final Map<String, Integer> owners = new ConcurrentHashMap<>();

  /** The operation ids and cursors of all identities. Each identity tries all of them. */
  private final List<String> operations = new CopyOnWriteArrayList<>();

  private final List<String> cursors = new CopyOnWriteArrayList<>();
  private final AtomicInteger foreign = new AtomicInteger();

  private final class Visitor {
    private final int number;
    private final Random random;
    private final Browser browser;
    private final Set<String> seen = ConcurrentHashMap.newKeySet();
    private final List<SseClient> streams = new ArrayList<>();

    Visitor(int number, long seed) {
      this.number = number;
      this.random = new Random(seed * 31 + number);
      this.browser = Browser.at(replica());
    }

    private LastmileProcess replica() {
      return cluster.replica(1 + random.nextInt(3));
    }

    private String any(List<String> all) {
      return all.isEmpty() ? "" : all.get(random.nextInt(all.size()));
    }

    void act() {
      String id = any(operations);
      boolean mine = Integer.valueOf(number).equals(owners.get(id));
      switch (random.nextInt(9)) {
        case 0, 1 -> {
          String created = browser.create(replica());
          owners.put(created, number);
          operations.add(created);
        }
        case 2 -> callBack(id);
        case 3 -> expect(mine, browser.get(replica(), id.isEmpty() ? "x" : id));
        case 4 ->
            expect(
                mine,
                browser
                    .ask(replica())
                    .get("/api/operations/" + (id.isEmpty() ? "x" : id) + "/timeline"));
        case 5 -> {
          if (!id.isEmpty()) {
            Response ack = browser.ack(replica(), id, 1, "live");
            assertThat(ack.statusCode()).isEqualTo(mine ? 204 : 404);
            foreign.addAndGet(mine ? 0 : 1);
          }
        }
        case 6 -> {
          Response list = browser.list(replica(), any(cursors));
          list.then().statusCode(200);
          look(list.asString());
          cursors.add(list.path("cursor"));
        }
        case 7 -> {
          if (streams.size() < 4) {
            streams.add(browser.stream(replica(), any(cursors), event -> look(event.data())));
          }
        }
        default -> {
          if (!streams.isEmpty()) {
            streams.remove(random.nextInt(streams.size())).close();
          }
        }
      }
    }

    private void callBack(String id) {
      if (!id.isEmpty()) {
        // The external system calls back for the operations of all identities.
        webhooks.outcome(
            replica(), id, Webhooks.running(1 + random.nextInt(50), random.nextInt(100)));
      }
    }

    private void expect(boolean mine, Response answer) {
      assertThat(answer.statusCode()).isEqualTo(mine ? 200 : 404);
      if (mine) {
        look(answer.asString());
      } else {
        foreign.incrementAndGet();
        assertThat(answer.asString()).doesNotContain("status\":\"", "kind");
      }
    }

    private void look(String text) {
      OPERATION.matcher(text).results().forEach(found -> seen.add(found.group()));
    }

    void close() {
      streams.forEach(SseClient::close);
    }
  }

  @Test
  void noIdentityEverSeesWhatIsAnothers() throws Exception {
    noIdentityEverSeesWhatIsAnothers(1);
  }

  @Tag("long")
  @ParameterizedTest
  @ValueSource(longs = {2, 3})
  void noIdentityEverSeesWhatIsAnothers_withOtherSeeds(long seed) throws Exception {
    noIdentityEverSeesWhatIsAnothers(seed);
  }

  private void noIdentityEverSeesWhatIsAnothers(long seed) throws Exception {
    List<Visitor> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(new Visitor(i, seed));
    }
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Visitor visitor : all) {
        running.add(
            threads.submit(() -> {
              for (int i = 0; i < STEPS; i++) {
                visitor.act();
              }
            }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
    // A stream without a cursor delivers all operations of its identity.
    for (Visitor visitor : all) {
      SseClient last = visitor.browser.stream(cluster.replica(1), "", e -> visitor.look(e.data()));
      visitor.streams.add(last);
      last.awaitReady();
    }
    for (Visitor visitor : all) {
      Set<String> own = ConcurrentHashMap.newKeySet();
      owners.forEach((id, owner) -> {
        if (owner == visitor.number) {
          own.add(id);
        }
      });
      Awaitility.await("all of its operations").until(() -> visitor.seen.containsAll(own));
      assertThat(visitor.seen).as("identity %d, seed %d", visitor.number, seed).isEqualTo(own);
      visitor.close();
    }
    assertThat(foreign.get()).as("attempts to read data of another identity").isPositive();
    System.out.printf(
        "REPORT seed %d: %d operations of 4 identities, %d foreign attempts rejected%n",
        seed, owners.size(), foreign.get());
  }
}
