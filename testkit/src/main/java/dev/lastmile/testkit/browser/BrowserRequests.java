package dev.lastmile.testkit.browser;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one browser of a {@link SimulatedBrowsers} asks: each time a random replica, and another one
 * when that is away or says 503, so that no answer of it is lost by a replica that died.
 */
final class BrowserRequests {
  private static final Pattern OPERATION_ID = Pattern.compile("\"operationId\":\"([^\"]+)\"");

  /** A hundred years: no limit. */
  static final Duration FOR_EVER = Duration.ofDays(36_500);

  static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String name;
  private final List<Target> targets;
  private final HttpClient http;
  private final BrowserPace pace;
  private final Random random;
  private final CountDownLatch closed;
  private final Queue<String> complaints;
  private volatile String cookie = "";

  /**
   * @param closed ends every wait
   * @param complaints gets what a correct service never does
   */
  BrowserRequests(
      String name,
      List<Target> targets,
      HttpClient http,
      BrowserPace pace,
      Random random,
      CountDownLatch closed,
      Queue<String> complaints) {
    this.name = name;
    this.targets = targets;
    this.http = http;
    this.pace = pace;
    this.random = random;
    this.closed = closed;
    this.complaints = complaints;
  }

  static Function<URI, HttpRequest.Builder> list(String after, String shown) {
    String query =
        "?after=" + URLEncoder.encode(after, UTF_8) + "&shown=" + URLEncoder.encode(shown, UTF_8);
    return replica -> HttpRequest.newBuilder(replica.resolve("/api/operations" + query));
  }

  static Function<URI, HttpRequest.Builder> acks(String body) {
    return post("/api/acks", body);
  }

  private static Function<URI, HttpRequest.Builder> post(String path, String body) {
    return replica ->
        HttpRequest.newBuilder(replica.resolve(path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  /** Gets an identity; fails if no target gives one within the limit. */
  void identify(Duration atMost) {
    HttpResponse<String> answer = required(post("/api/identity", ""), 204, atMost);
    cookie = answer.headers().firstValue("Set-Cookie").orElseThrow().split(";", 2)[0];
  }

  String cookie() {
    return cookie;
  }

  /** Creates an operation, once, however often it has to be asked for; its id. */
  String create(String body) {
    String key = UUID.randomUUID().toString();
    Function<URI, HttpRequest.Builder> creation = post("/api/operations", body);
    HttpResponse<String> answer =
        required(replica -> creation.apply(replica).header("Idempotency-Key", key), 201, PATIENCE);
    Matcher id = OPERATION_ID.matcher(answer.body());
    if (!id.find()) {
      throw new IllegalStateException(answer.body());
    }
    return id.group(1);
  }

  private HttpResponse<String> required(
      Function<URI, HttpRequest.Builder> request, int status, Duration atMost) {
    try {
      HttpResponse<String> answer = ask(request, atMost);
      if (answer.statusCode() != status) {
        throw new IllegalStateException(name + ": " + answer.statusCode() + " " + answer.body());
      }
      return answer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Asks one replica after the other until one gives an answer below 500; that answer. */
  HttpResponse<String> ask(Function<URI, HttpRequest.Builder> request, Duration atMost)
      throws InterruptedException {
    long began = System.nanoTime();
    Target replica = null;
    while (true) {
      replica = other(replica);
      String why;
      try {
        HttpResponse<String> answer = once(request, replica);
        if (answer.statusCode() < 500) {
          return answer;
        }
        refused(answer.statusCode(), answer.uri().getPath(), answer.body());
        why = Integer.toString(answer.statusCode());
      } catch (IOException e) {
        why = e.toString();
      }
      if (System.nanoTime() - began > atMost.toNanos()) {
        throw new IllegalStateException(name + ": no answer, last from " + replica.name() + why);
      }
      pause(null);
    }
  }

  /** Asks one replica once. */
  HttpResponse<String> once(Function<URI, HttpRequest.Builder> request, Target replica)
      throws IOException, InterruptedException {
    HttpRequest.Builder asked = request.apply(replica.uri()).timeout(pace.requestTimeout());
    if (!cookie.isEmpty()) {
      asked.header("Cookie", cookie);
    }
    return http.send(asked.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** A random replica other than this one, if there is another. */
  Target other(Target failed) {
    Target next = targets.get(random.nextInt(targets.size()));
    while (next.equals(failed) && targets.size() > 1) {
      next = targets.get(random.nextInt(targets.size()));
    }
    return next;
  }

  /**
   * Waits; a random time between the pace's limits if none is given.
   *
   * @throws InterruptedException at once when the crowd closes
   */
  void pause(Duration time) throws InterruptedException {
    long least = pace.pauseLeast().toMillis();
    long most = pace.pauseMost().toMillis();
    long millis = time == null ? random.nextLong(least, most + 1) : time.toMillis();
    if (closed.await(millis, TimeUnit.MILLISECONDS)) {
      throw new InterruptedException("closed");
    }
  }

  void await(CountDownLatch latch, String what) {
    try {
      if (!latch.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(name + ": not in time: " + what);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Whether an answer is a success; a refusal is complained about. */
  boolean isTaken(HttpResponse<String> answer, String what) {
    boolean taken = answer.statusCode() / 100 == 2;
    if (!taken) {
      refused(answer.statusCode(), what, answer.body());
    }
    return taken;
  }

  /** 503 is a fair answer in a fault; anything else is not. */
  void refused(int status, String what, String body) {
    if (status != 503) {
      complain(what + " answered " + status + " " + body);
    }
  }

  void complain(String complaint) {
    if (complaints.size() < 100) {
      complaints.add(name + ": " + complaint);
    }
  }

  interface Task {
    void run() throws InterruptedException;
  }

  /** Runs a task of a browser until the crowd closes; a failure is complained about. */
  void guard(String what, Task task) {
    try {
      while (true) {
        try {
          task.run();
          return;
        } catch (RuntimeException e) {
          if (closed.getCount() == 0) {
            return;
          }
          complain(what + " failed: " + e);
          pause(null);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
