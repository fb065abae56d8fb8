package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testing.Browser;
import dev.lastmile.testing.Cluster;
import dev.lastmile.testing.LastmileProcess;
import dev.lastmile.testing.SseClient;
import dev.lastmile.testing.Webhooks;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever several identities do at the same time, in whatever order, on whatever replicas: none
 * ever sees an operation, a frame, a timeline of another, nor acks for him. Each tries to, by ids
 * and cursors that it should not have.
 */
class IsolationIT {
  private static final int STEPS = 120;
  private static final Pattern OPERATION = Pattern.compile("op[0-9a-f]-[0-9a-f]{32}");

  private final Cluster cluster = Cluster.shared();
  private final Webhooks webhooks = new Webhooks(cluster.secret());

  /** Who created what. */
  private final Map<String, Integer> owners = new ConcurrentHashMap<>();

  /** Everybody's ids and cursors, for everybody to try. */
  private final List<String> operations = new CopyOnWriteArrayList<>();

  private final List<String> cursors = new CopyOnWriteArrayList<>();
  private final AtomicInteger foreign = new AtomicInteger();

  private final class Somebody {
    private final int number;
    private final Random random;
    private final Browser browser;
    private final Set<String> seen = ConcurrentHashMap.newKeySet();
    private final List<SseClient> streams = new ArrayList<>();

    Somebody(int number, long seed) {
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
        // Anybody's: that is the external system.
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

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void noIdentityEverSeesWhatIsAnothers(long seed) throws Exception {
    List<Somebody> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(new Somebody(i, seed));
    }
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Somebody somebody : all) {
        running.add(
            threads.submit(() -> {
              for (int i = 0; i < STEPS; i++) {
                somebody.act();
              }
            }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
    // Streams that are open get all of it in the end.
    for (Somebody somebody : all) {
      SseClient last =
          somebody.browser.stream(cluster.replica(1), "", e -> somebody.look(e.data()));
      somebody.streams.add(last);
      last.awaitReady();
    }
    for (Somebody somebody : all) {
      Set<String> own = ConcurrentHashMap.newKeySet();
      owners.forEach((id, owner) -> {
        if (owner == somebody.number) {
          own.add(id);
        }
      });
      Awaitility.await("all of its own").until(() -> somebody.seen.containsAll(own));
      assertThat(somebody.seen).as("identity %d, seed %d", somebody.number, seed).isEqualTo(own);
      somebody.close();
    }
    assertThat(foreign.get()).as("tries to see what is another's").isPositive();
    System.out.printf(
        "REPORT seed %d: %d operations of 4 identities, %d foreign tries refused%n",
        seed, owners.size(), foreign.get());
  }
}
