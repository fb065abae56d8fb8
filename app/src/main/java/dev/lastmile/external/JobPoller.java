package dev.lastmile.external;

import dev.lastmile.coordination.Change;
import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.Overdue;
import dev.lastmile.coordination.Pointer;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.coordination.Report;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.HopRecorder.OpenHop;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.springframework.context.SmartLifecycle;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClientException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Asks the external system for operations of which it has been silent for too long.
 *
 * <p>Any replica takes what is overdue, under a lease, so one of them asks. The answer is stored as
 * a callback would be: by its revision, so it may cross a callback that comes after all. An
 * operation of which the external system knows nothing stays as it is and is asked for again.
 */
final class JobPoller implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(JobPoller.class);

  /** What became of a question. */
  private enum Outcome {
    STORED,
    DUPLICATE,
    STALE,
    FINAL,
    /** The job has not begun. */
    PENDING,
    /** The external system has no such job. */
    UNKNOWN,
    /** No answer, or none that can be read. */
    FAILED
  }

  private final ExternalSystem external;
  private final ExternalProperties properties;
  private final OperationStore store;
  private final Overdue overdue;
  private final RedisTime time;
  private final HopRecorder hops;
  private final JsonMapper mapper;
  private final Map<Outcome, Counter> polls = new EnumMap<>(Outcome.class);
  private final Semaphore questionsLeft;
  private final ScheduledExecutorService claims =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("overdue-claims").daemon().factory());
  private volatile boolean running;

  JobPoller(
      ExternalSystem external,
      ExternalProperties properties,
      OperationStore store,
      Overdue overdue,
      RedisTime time,
      HopRecorder hops,
      JsonMapper mapper,
      MeterRegistry meters) {
    this.external = external;
    this.properties = properties;
    this.store = store;
    this.overdue = overdue;
    this.time = time;
    this.hops = hops;
    this.mapper = mapper;
    this.questionsLeft = new Semaphore(properties.concurrency());
    for (Outcome outcome : Outcome.values()) {
      polls.put(outcome, Metric.POLLS.counter(meters, outcome.name().toLowerCase(Locale.ROOT)));
    }
  }

  /** Takes as much of what is overdue as can be asked for at once. */
  private void claim() {
    try {
      for (OperationId id : overdue.claim(questionsLeft.availablePermits())) {
        questionsLeft.acquireUninterruptibly();
        var _ = Thread.ofVirtual().name("poll").start(() -> poll(id));
      }
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("overdue_claim_failed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("overdue_claim_broke");
    }
  }

  private void poll(OperationId id) {
    try {
      Optional<Pointer> found = store.pointer(id);
      if (found.isEmpty()) {
        overdue.forget(id);
      } else if (store.pointerWithJob(id).isEmpty()) {
        ask(id, found.get());
      }
      // Otherwise the job was not accepted yet: submitting it goes on.
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).addKeyValue("operation_id", id).log("poll_postponed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).addKeyValue("operation_id", id).log("poll_broke");
    } finally {
      questionsLeft.release();
    }
  }

  private void ask(OperationId id, Pointer pointer) {
    Outcome outcome;
    try {
      byte[] answer = pointer.trace().call(() -> external.report(id.value()));
      if (answer == null) {
        outcome = Outcome.FAILED;
      } else {
        outcome = isPending(answer) ? Outcome.PENDING : store(id, pointer, answer);
      }
    } catch (HttpClientErrorException.NotFound e) {
      outcome = Outcome.UNKNOWN;
    } catch (RestClientException | InvalidValueException | JacksonException e) {
      LOG.atDebug().setCause(e).addKeyValue("operation_id", id).log("poll_failed");
      outcome = Outcome.FAILED;
    }
    count(outcome);
    LOG.atLevel(outcome == Outcome.STORED ? Level.INFO : Level.DEBUG)
        .addKeyValue("operation_id", id)
        .addKeyValue("correlation_id", pointer.correlationId())
        .addKeyValue("outcome", outcome.name().toLowerCase(Locale.ROOT))
        .log("overdue_polled");
  }

  private boolean isPending(byte[] answer) {
    return mapper.readTree(answer).path("status").asString("").equals("PENDING");
  }

  private Outcome store(OperationId id, Pointer pointer, byte[] answer) {
    Report report = Report.parse(mapper, answer, time.micros(), properties.maxMessage());
    try (OpenHop hop = hops.begin(Hop.CALLBACK, pointer.trace())) {
      Change change;
      try {
        change = store.changeByPoll(id, pointer, report.state(), report.revision(), hop.context());
      } catch (RedisAwayException e) {
        // The span of the publication that failed has this one as its parent.
        hop.end("unavailable", Subject.of(id, pointer.correlationId()));
        throw e;
      }
      if (change == Change.STORED) {
        hop.end("polled", Subject.of(id, pointer.correlationId()));
      }
      return Outcome.valueOf(change.name());
    }
  }

  private void count(Outcome outcome) {
    Counter counter = polls.get(outcome);
    if (counter != null) {
      counter.increment();
    }
  }

  @Override
  public void start() {
    long pause = properties.pollInterval().toMillis();
    var _ = claims.scheduleWithFixedDelay(this::claim, pause, pause, TimeUnit.MILLISECONDS);
    running = true;
  }

  @Override
  public void stop() {
    running = false;
    claims.shutdownNow();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** After what reaches Redis (phase 0) has started, and stopped before it. */
  @Override
  public int getPhase() {
    return 1;
  }
}
