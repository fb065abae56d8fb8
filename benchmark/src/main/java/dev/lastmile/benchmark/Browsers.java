package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.benchmark.EventParser.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * Clients that behave as the page does, with books of their own: each shows one operation, acks
 * what it learns, comes back to another replica where its stream broke, resumes, and asks for its
 * state once more. Any thread.
 */
final class Browsers implements Audience {
  /** What the stream's {@code retry:} says, and at random up to so much more. */
  private static final Duration RETRY = Duration.ofSeconds(2);

  private static final Duration SPREAD = Duration.ofMillis(500);

  /** Who is behind for longer is wrong, not merely about to be told. */
  private static final Duration BEHIND = Duration.ofSeconds(1);

  private static final Duration CHECK = Duration.ofSeconds(60);

  /** One of them; guarded by itself. */
  private static final class Browser {
    long shown;
    long taken = 1;
    long behindSinceNanos;
    long head;
    String cursor = "";
    int opened;
    int replica;
  }

  /** What all of them have learned, by how. */
  record Learned(long live, long replay, long poll, long acked) {
    Learned minus(Learned earlier) {
      return new Learned(
          live - earlier.live, replay - earlier.replay, poll - earlier.poll, acked - earlier.acked);
    }
  }

  private final Lastmile candidate;
  private final Callers callers;
  private final List<Browser> browsers = new ArrayList<>();
  private final LongAdder live = new LongAdder();
  private final LongAdder replay = new LongAdder();
  private final LongAdder poll = new LongAdder();
  private final LongAdder acked = new LongAdder();
  private final AtomicLong lastBehindNanos = new AtomicLong();
  private volatile int dead = -1;

  Browsers(Lastmile candidate, Callers callers, int count) {
    this.candidate = candidate;
    this.callers = callers;
    for (int i = 0; i < count; i++) {
      Browser browser = new Browser();
      browser.replica = i % candidate.cluster().size();
      browsers.add(browser);
    }
  }

  /** What opens a browser's stream now. */
  Request stream(int number) {
    Browser browser = browsers.get(number);
    synchronized (browser) {
      if (browser.opened > 0) {
        // Chosen now: when its stream broke, nobody knew why.
        browser.replica = anyReplica();
      }
      return candidate.stream(number, browser.replica, browser.cursor);
    }
  }

  /** From now on nobody goes to this replica, as behind a balancer that has noticed. */
  void avoid(int replica) {
    dead = replica;
  }

  /** Some replica that is not avoided. */
  int anyReplica() {
    int replica = ThreadLocalRandom.current().nextInt(candidate.cluster().size());
    return replica == dead ? (replica + 1) % candidate.cluster().size() : replica;
  }

  @Override
  public void event(OneStream stream, Kind kind, boolean hasId, byte[] bytes, int from, int to) {
    if (kind == Kind.HEARTBEAT) {
      return;
    }
    String data = new String(bytes, from, to - from, UTF_8);
    String cursor = text(data, "\"cursor\":\"");
    int number = stream.number();
    Browser browser = browsers.get(number);
    synchronized (browser) {
      long sequence = Long.parseLong(cursor.substring(cursor.lastIndexOf('-') + 1));
      switch (kind) {
        case READY -> {
          browser.head = sequence;
          browser.opened++;
          if (browser.opened > 1) {
            ask(number);
          }
        }
        case RESET -> {
          browser.shown = 0;
          browser.cursor = "";
        }
        case UPDATE -> {
          browser.cursor = hasId ? cursor : browser.cursor;
          show(number, version(data), sequence > browser.head ? "live" : "replay");
        }
        case HEARTBEAT -> {}
      }
    }
  }

  @Override
  public long ended(OneStream stream) {
    return RETRY.toNanos() + ThreadLocalRandom.current().nextLong(SPREAD.toNanos());
  }

  private void ask(int number) {
    callers
        .send(() -> candidate.list(number, anyReplica()))
        .thenAccept(answer -> {
          if (answer.isGood()) {
            show(number, version(answer.body()), "poll");
          }
        });
  }

  private void show(int number, long version, String via) {
    Browser browser = browsers.get(number);
    synchronized (browser) {
      if (version <= browser.shown) {
        return;
      }
      browser.shown = version;
      long now = Ticker.nanos();
      long since = browser.behindSinceNanos;
      if (since > 0 && now - since > BEHIND.toNanos()) {
        lastBehindNanos.accumulateAndGet(now, Math::max);
      }
      browser.behindSinceNanos = browser.shown < browser.taken ? now : 0;
    }
    switch (via) {
      case "live" -> live.increment();
      case "replay" -> replay.increment();
      default -> poll.increment();
    }
    callers
        .send(() -> candidate.ack(number, anyReplica(), version, via))
        .thenAccept(answer -> acked.add(answer.isGood() ? 1 : 0));
  }

  /** A replica has answered that it stored one more change of a browser's operation. */
  void taken(int number) {
    Browser browser = browsers.get(number);
    synchronized (browser) {
      browser.taken++;
      if (browser.shown < browser.taken && browser.behindSinceNanos == 0) {
        browser.behindSinceNanos = Ticker.nanos();
      }
    }
  }

  /** Whether each shows all that was taken. */
  boolean areRight() {
    return browsers.stream()
        .allMatch(browser -> {
          synchronized (browser) {
            return browser.shown >= browser.taken;
          }
        });
  }

  /** When one of them caught up for the last time that had been behind for more than a second. */
  long lastBehindNanos() {
    return lastBehindNanos.get();
  }

  Learned learned() {
    return new Learned(live.sum(), replay.sum(), poll.sum(), acked.sum());
  }

  /** Whether all that was learned was acked, and the ack taken. */
  boolean haveAcked() {
    Learned learned = learned();
    return learned.acked() == learned.live() + learned.replay() + learned.poll();
  }

  /** How many do not show what a replica reads from Redis. */
  int wrong() {
    AtomicInteger wrong = new AtomicInteger();
    callers.sendAll(
        browsers.size(),
        number -> candidate.list(number, anyReplica()),
        (answer, number) -> {
          Browser browser = browsers.get(number);
          synchronized (browser) {
            wrong.addAndGet(browser.shown == version(answer.body()) ? 0 : 1);
          }
        },
        CHECK);
    return wrong.get();
  }

  private static long version(String json) {
    int from = json.indexOf("\"version\":") + "\"version\":".length();
    int to = from;
    while (Character.isDigit(json.charAt(to))) {
      to++;
    }
    return Long.parseLong(json, from, to, 10);
  }

  private static String text(String json, String before) {
    int from = json.indexOf(before) + before.length();
    return json.substring(from, json.indexOf('"', from));
  }
}
