package dev.lastmile.testkit.browser;

import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.telemetry.LedgerAudit;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.awaitility.Awaitility;

/**
 * A crowd that watches, an external system that calls back all the time, and an auditor that looks
 * into the books several times a second.
 *
 * <p>Each browser has one operation; its revisions rise one by one, each is sent to some replica
 * until one takes it, and some again later, which the protocol allows. Whatever breaks in between,
 * {@link #settle} tells what became of it.
 */
public final class Traffic implements AutoCloseable {
  private static final int SENDERS = 4;

  /** One in so many callbacks is followed by one that was sent before. */
  private static final int AGAIN = 20;

  /** A browser's operation and the revision that is reported next. */
  private record Job(String operation, int revision) {}

  /**
   * What is left when all is quiet again.
   *
   * @param before the account at the start
   * @param after the account at the end
   * @param right how long it took after the fault's end until every browser was right
   */
  public record Outcome(
      String name,
      LedgerAudit before,
      LedgerAudit after,
      long taken,
      SimulatedBrowsers crowd,
      Duration right,
      long audits) {
    /** What this counter of the account rose by; all of it if the totals began anew. */
    public long total(String counter) {
      boolean same = before.accounts().equals(after.accounts());
      return after.total(counter) - (same ? before.total(counter) : 0);
    }

    /** What this counter of one owner rose by, within one account. */
    public long rise(String owner, String counter) {
      return after.of(owner, counter) - before.of(owner, counter);
    }

    /** One line of a table. */
    public String row() {
      return "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.1f |"
          .formatted(
              name,
              taken,
              total("expected"),
              total("delivered"),
              total("late"),
              total("client_gone"),
              total("slow_consumer"),
              total("not_received"),
              total("owner_gone"),
              crowd.learnedReplay(),
              crowd.learnedPoll(),
              crowd.wrong(),
              right.toMillis() / 1e3);
    }

    /** The head of that table. */
    public static String head() {
      return "| scenario | callbacks | expected | delivered | late | client_gone | slow_consumer"
          + " | not_received | owner_gone | by replay | by poll | wrong | right after, s |\n"
          + "|---|---|---|---|---|---|---|---|---|---|---|---|---|";
    }
  }

  private final Cluster cluster;
  private final SimulatedBrowsers crowd;
  private final Webhooks webhooks;
  private final LedgerAudit before;
  private final long pauseNanos;
  private final AtomicLong taken = new AtomicLong();
  private final AtomicLong audits = new AtomicLong();
  private final List<String> complaints = new CopyOnWriteArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final List<Job> jobs = new CopyOnWriteArrayList<>();
  private final Map<List<String>, LedgerAudit> byAccount =
      Collections.synchronizedMap(new LinkedHashMap<>());
  private volatile LastmileProcess avoided;
  private volatile boolean over;

  /**
   * Begins at once.
   *
   * @param perSecond callbacks, spread over all browsers
   */
  public Traffic(Cluster cluster, SimulatedBrowsers crowd, int perSecond, long seed) {
    this.cluster = cluster;
    this.crowd = crowd;
    this.webhooks = new Webhooks(cluster.secret(), Duration.ofSeconds(1));
    this.before = LedgerAudit.read(cluster);
    this.pauseNanos = TimeUnit.SECONDS.toNanos(1) * SENDERS / perSecond;
    List<Future<String>> creations = new ArrayList<>();
    try (ExecutorService creators = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < crowd.size(); i++) {
        int browser = i;
        creations.add(creators.submit(() -> crowd.create(browser)));
      }
    }
    creations.forEach(creation -> jobs.add(new Job(creation.resultNow(), 1)));
    for (int i = 0; i < SENDERS; i++) {
      int sender = i;
      threads.add(Thread.ofVirtual().start(() -> send(sender, new Random(seed + sender))));
    }
    threads.add(Thread.ofVirtual().start(this::audit));
  }

  private void send(int sender, Random random) {
    long next = System.nanoTime();
    while (!over) {
      for (int i = sender; i < jobs.size() && !over; i += SENDERS) {
        next += pauseNanos;
        LockSupport.parkNanos(next - System.nanoTime());
        // What was missed while nothing was taken is not made up for.
        next = Math.max(next, System.nanoTime() - TimeUnit.SECONDS.toNanos(1));
        report(i, random);
      }
    }
  }

  /** Sends the next revision of a browser's operation; now and then also an old one again. */
  private void report(int browser, Random random) {
    Job job = jobs.get(browser);
    if (send(job.operation(), job.revision(), random)) {
      taken.incrementAndGet();
      jobs.set(browser, new Job(job.operation(), job.revision() + 1));
      if (random.nextInt(AGAIN) == 0) {
        send(job.operation(), 1 + random.nextInt(job.revision()), random);
      }
    } else if (!over) {
      // Redis came back without its data.
      jobs.set(browser, new Job(crowd.create(browser), 1));
    }
  }

  /** Sends a revision until some replica takes it; false if there is no such operation. */
  private boolean send(String operation, int revision, Random random) {
    String body = Webhooks.running(revision, revision % 100);
    while (!Thread.currentThread().isInterrupted()) {
      LastmileProcess replica = cluster.replica(1 + random.nextInt(cluster.replicas().size()));
      if (replica == avoided) {
        continue;
      }
      try {
        int status = webhooks.quickly(replica, operation, body).statusCode();
        if (status == 200 || status == 404) {
          return status == 200;
        }
        if (status != 503) {
          complaints.add(replica.name() + " answered a callback with " + status);
        }
      } catch (UncheckedIOException e) {
        // Down, or too slow: another one will take it.
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
    return false;
  }

  /** Reads the books five times a second, and each time also the metrics of one replica. */
  private void audit() {
    for (int reading = 0; !over; reading++) {
      LastmileProcess replica = cluster.replica(1 + reading % cluster.replicas().size());
      try {
        audit(() -> {
          LedgerAudit books = LedgerAudit.read(cluster);
          byAccount.put(books.accounts(), books);
          return books;
        });
        audit(() -> LedgerAudit.ofMetrics(replica));
      } catch (AssertionError e) {
        complaints.add(String.valueOf(e.getMessage()));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
    }
  }

  private void audit(Supplier<LedgerAudit> reading) {
    LedgerAudit books;
    try {
      books = reading.get();
    } catch (RuntimeException e) {
      // It cannot be asked now.
      return;
    }
    books.assertBalanced();
    audits.incrementAndGet();
  }

  /** Sends callbacks to the other replicas only, as a balancer does that has noticed. */
  public void avoid(LastmileProcess replica) {
    avoided = replica;
  }

  /** Callbacks that were taken so far. */
  public long taken() {
    return taken.get();
  }

  /** The operation of a browser. */
  public String operation(int browser) {
    return jobs.get(browser).operation();
  }

  /** The last look into the books of every account that there was. */
  public List<LedgerAudit> accounts() {
    synchronized (byAccount) {
      return List.copyOf(byAccount.values());
    }
  }

  /** Sends no more, and waits until nothing is under way. */
  public void stop() {
    over = true;
    try {
      for (Thread thread : threads) {
        thread.join(30_000);
        if (thread.isAlive()) {
          complaints.add("a callback was never taken");
          thread.interrupt();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What was seen and must not be: unbalanced books, answers that no correct service gives. */
  public List<String> complaints() {
    List<String> all = new ArrayList<>(complaints);
    all.addAll(crowd.complaints());
    return all;
  }

  /**
   * The fault is over: waits until every browser is right, stops, waits until they are right for
   * the last updates too and nothing is outstanding, and reads the books.
   */
  public Outcome settle(String name, Duration bound) {
    long begun = System.nanoTime();
    stop();
    crowd.awaitAllRight(bound);
    Duration right = Duration.ofNanos(System.nanoTime() - begun);
    Awaitility.await("nothing to be outstanding")
        .atMost(20, TimeUnit.SECONDS)
        .pollInterval(100, TimeUnit.MILLISECONDS)
        .until(() -> LedgerAudit.read(cluster).outstanding() == 0);
    return new Outcome(
        name, before, LedgerAudit.read(cluster), taken(), crowd, right, audits.get());
  }

  @Override
  public void close() {
    over = true;
    threads.forEach(Thread::interrupt);
    crowd.close();
  }
}
