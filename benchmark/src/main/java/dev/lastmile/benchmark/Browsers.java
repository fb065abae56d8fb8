package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * Clients that behave as the page does and count what they receive. Each shows one operation and
 * acks its updates. When its stream breaks, it reconnects to another replica, resumes, and reads
 * its state again. Any thread.
 */
final class Browsers implements StreamListener {
  /** The stream's {@code retry:} value; {@link #SPREAD} is the most that is added at random. */
  private static final Duration RETRY = Duration.ofSeconds(2);

  private static final Duration SPREAD = Duration.ofMillis(500);

  /** A client that lags for longer counts as behind. */
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

  /** Versions that all clients have learned, by way, and acks that were accepted. */
  record Learned(long live, long replay, long poll, long acked) {
    Learned minus(Learned earlier) {
      return new Learned(
          live - earlier.live, replay - earlier.replay, poll - earlier.poll, acked - earlier.acked);
    }
  }

  private final LastmileCandidate candidate;
  private final Callers callers;
  private final List<Browser> browsers = new ArrayList<>();
  private final LongAdder live = new LongAdder();
  private final LongAdder replay = new LongAdder();
  private final LongAdder poll = new LongAdder();
  private final LongAdder acked = new LongAdder();
  private final AtomicLong lastBehindNanos = new AtomicLong();
  private volatile int dead = -1;

  Browsers(LastmileCandidate candidate, Callers callers, int count) {
    this.candidate = candidate;
    this.callers = callers;
    for (int i = 0; i < count; i++) {
      Browser browser = new Browser();
      browser.replica = i % candidate.processes().size();
      browsers.add(browser);
    }
  }

  /** The request that opens a browser's stream now. */
  Request stream(int number) {
    Browser browser = browsers.get(number);
    synchronized (browser) {
      if (browser.opened > 0) {
        // Chosen now: when the stream broke, the dead replica was not yet known.
        browser.replica = anyReplica();
      }
      return candidate.stream(number, browser.replica, browser.cursor);
    }
  }

  /** From now on no client uses this replica, as behind a load balancer that has removed it. */
  void avoid(int replica) {
    dead = replica;
  }

  /** Some replica that is not avoided. */
  int anyReplica() {
    int replica = ThreadLocalRandom.current().nextInt(candidate.processes().size());
    return replica == dead ? (replica + 1) % candidate.processes().size() : replica;
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
      long sequence = Long.parseLong(cursor.split("-", -1)[1]);
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

  /** Whether each shows the newest version that was stored. */
  boolean areRight() {
    return browsers.stream()
        .allMatch(browser -> {
          synchronized (browser) {
            return browser.shown >= browser.taken;
          }
        });
  }

  /** When a client that had been behind for more than a second last caught up. */
  long lastBehindNanos() {
    return lastBehindNanos.get();
  }

  Learned learned() {
    return new Learned(live.sum(), replay.sum(), poll.sum(), acked.sum());
  }

  /** Whether every version that was learned has an accepted ack. */
  boolean haveAcked() {
    Learned learned = learned();
    return learned.acked() == learned.live() + learned.replay() + learned.poll();
  }

  /** How many show another version than a replica reads from Redis. */
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
