package dev.lastmile.jobs;

import dev.lastmile.redis.RedisTime;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.store.ChangeResult;
import dev.lastmile.store.DueOperations;
import dev.lastmile.store.OperationMetadata;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.ProgressReport;
import dev.lastmile.store.StateChange;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.OperationStatus;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.springframework.stereotype.Component;
import org.springframework.web.client.HttpClientErrorException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Polls the external system for operations without a report for too long.
 *
 * <p>A replica claims overdue operations under a lease, so only one replica polls. The response is
 * stored by its revision, as a callback is; so a late callback does no harm. If the external system
 * does not know the job, the operation does not change and is polled again, until its deadline.
 * Then it is polled a last time, and becomes {@code FAILED} if there is still no outcome.
 */
@Component
final class JobPoller {
  private static final Logger LOG = LoggerFactory.getLogger(JobPoller.class);

  private static final String DEADLINE_PASSED =
      "The external system reported no outcome before the deadline.";

  /** The result of a poll; the names in lower case are values of a metric label. */
  private enum Outcome {
    STORED,
    DUPLICATE,
    STALE,
    FINAL,
    /** The job has not started. */
    PENDING,
    /** The external system does not know the job. */
    UNKNOWN,
    /** There was no response, or one that cannot be parsed. */
    FAILED
  }

  private final JobClient client;
  private final JobsProperties properties;
  private final OperationStore store;
  private final DueOperations due;
  private final RedisTime time;
  private final RecordedChanges changes;
  private final JsonMapper mapper;
  private final Metric.Counters<Outcome> polls;
  private final Semaphore pollPermits;

  JobPoller(
      JobClient client,
      JobsProperties properties,
      OperationStore store,
      DueOperations due,
      RedisTime time,
      HopRecorder hops,
      JsonMapper mapper,
      MeterRegistry meters) {
    this.client = client;
    this.properties = properties;
    this.store = store;
    this.due = due;
    this.time = time;
    this.changes = new RecordedChanges(hops);
    this.mapper = mapper;
    this.pollPermits = new Semaphore(properties.concurrency());
    this.polls = Metric.POLLS.counters(meters, EnumSet.allOf(Outcome.class));
  }

  /** Claims as many overdue operations as can be polled at once. */
  void claim() {
    // Each deadline has a last poll. About half of the permits stay for overdue operations.
    for (OperationId id : due.claimDeadlines((pollPermits.availablePermits() + 1) / 2)) {
      start(id, this::end);
    }
    for (OperationId id : due.claimOverdue(pollPermits.availablePermits())) {
      start(id, this::poll);
    }
  }

  private void start(OperationId id, Consumer<OperationId> work) {
    pollPermits.acquireUninterruptibly();
    var _ = Thread.ofVirtual().name("poll").start(() -> run(id, work));
  }

  private void run(OperationId id, Consumer<OperationId> work) {
    try {
      work.accept(id);
    } catch (RedisUnavailableException e) {
      LOG.atDebug().setCause(e).addKeyValue("operation_id", id).log("poll_postponed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).addKeyValue("operation_id", id).log("poll_error");
    } finally {
      pollPermits.release();
    }
  }

  private void poll(OperationId id) {
    store.metadata(id).ifPresentOrElse(metadata -> poll(id, metadata), () -> due.endOverdue(id));
  }

  private void poll(OperationId id, OperationMetadata metadata) {
    // A job that is not accepted yet is submitted again by JobSubmitter.
    if (store.metadataWithJob(id).isEmpty()) {
      request(id, metadata);
    }
  }

  /** Polls an operation at its deadline, and fails it if that brings no outcome. */
  private void end(OperationId id) {
    Optional<OperationMetadata> found = store.metadata(id);
    if (found.isEmpty()) {
      due.endDeadline(id);
      return;
    }
    OperationMetadata metadata = found.get();
    poll(id, metadata);
    StateChange state =
        new StateChange(
            OperationStatus.FAILED, null, DEADLINE_PASSED, null, time.micros(id.partition()));
    ChangeResult change =
        changes.store(
            Hop.CALLBACK,
            "deadline",
            id,
            metadata,
            context -> store.failAtDeadline(id, metadata, state, context));
    if (change != ChangeResult.STORED) {
      // The last poll has stored an outcome, or a replica that knows no deadlines has.
      due.endDeadline(id);
    }
  }

  private void request(OperationId id, OperationMetadata metadata) {
    Outcome outcome = ask(id, metadata);
    polls.increment(outcome);
    LOG.atLevel(outcome == Outcome.STORED ? Level.INFO : Level.DEBUG)
        .addKeyValue("operation_id", id)
        .addKeyValue("correlation_id", metadata.correlationId())
        .addKeyValue("outcome", outcome.name().toLowerCase(Locale.ROOT))
        .log("overdue_polled");
  }

  private Outcome ask(OperationId id, OperationMetadata metadata) {
    Optional<ProgressReport> report;
    try {
      byte[] response = metadata.trace().call(() -> client.report(id.value()));
      if (response == null) {
        return Outcome.FAILED;
      }
      report =
          ProgressReport.parsePolled(
              mapper, response, time.micros(id.partition()), properties.maxMessage());
    } catch (HttpClientErrorException.NotFound e) {
      return Outcome.UNKNOWN;
    } catch (RedisUnavailableException e) {
      throw e;
    } catch (RuntimeException e) {
      // Whatever is wrong with the answer must not postpone the deadline.
      LOG.atDebug().setCause(e).addKeyValue("operation_id", id).log("poll_failed");
      return Outcome.FAILED;
    }
    return report.isEmpty() ? Outcome.PENDING : store(id, metadata, report.get());
  }

  private Outcome store(OperationId id, OperationMetadata metadata, ProgressReport report) {
    ChangeResult change =
        changes.store(
            Hop.CALLBACK,
            "polled",
            id,
            metadata,
            context ->
                store.changeByPoll(id, metadata, report.state(), report.revision(), context));
    return Outcome.valueOf(change.name());
  }
}
