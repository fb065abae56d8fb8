package dev.lastmile.jobs;

import dev.lastmile.redis.RedisTime;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.store.ChangeResult;
import dev.lastmile.store.DueOperations;
import dev.lastmile.store.OperationMetadata;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.StateChange;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.OperationStatus;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatusCode;
import org.springframework.stereotype.Component;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClientException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Submits jobs until the external system has accepted them, or the submission is abandoned.
 *
 * <p>New operations pass through a bounded queue to some virtual threads, which submit them at
 * once. Every operation is also in Redis until its job is accepted. So if this replica stops, the
 * queue is full or a submission fails, any replica claims the operation later. If the external
 * system rejects the job (4xx) or has not accepted it in time, the operation becomes {@code
 * FAILED}.
 */
@Component
final class JobSubmitter {
  private static final Logger LOG = LoggerFactory.getLogger(JobSubmitter.class);
  private static final int MAX_CLAIMED = 32;

  private final JobClient client;
  private final JobsProperties properties;
  private final OperationStore store;
  private final DueOperations due;
  private final RedisTime time;
  private final RecordedChanges changes;
  private final JsonMapper mapper;
  private final BlockingQueue<OperationId> queue;

  /** Operations that are queued or being submitted; a claim does not queue them again. */
  private final Set<OperationId> inProgress = ConcurrentHashMap.newKeySet();

  private final Counter postponed;
  private final Counter failed;
  private final List<Thread> workers = new ArrayList<>();

  JobSubmitter(
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
    this.queue = new ArrayBlockingQueue<>(properties.queue());
    this.postponed = Metric.SUBMISSIONS_POSTPONED.counter(meters);
    this.failed = Metric.SUBMISSIONS_FAILED.counter(meters);
    store.onCreated(this::submitSoon);
  }

  /** Queues an operation, unless the queue is full. Never blocks. */
  void submitSoon(OperationId id) {
    if (inProgress.add(id) && !queue.offer(id)) {
      inProgress.remove(id);
      postponed.increment();
    }
  }

  private void work() {
    while (!Thread.currentThread().isInterrupted()) {
      OperationId id;
      try {
        id = queue.take();
      } catch (InterruptedException e) {
        return;
      }
      try {
        submit(id);
      } catch (RedisUnavailableException e) {
        LOG.atDebug().setCause(e).addKeyValue("operation_id", id).log("submission_postponed");
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).addKeyValue("operation_id", id).log("submission_error");
      } finally {
        inProgress.remove(id);
      }
    }
  }

  private void submit(OperationId id) {
    Optional<OperationMetadata> found = store.metadataWithJob(id);
    if (found.isEmpty()) {
      due.endSubmission(id);
      return;
    }
    OperationMetadata metadata = found.get();
    try {
      JsonNode input = mapper.readTree(metadata.job());
      List<String> urls =
          properties.callbackUrls().stream().map(base -> base + "/api/callbacks/" + id).toList();
      JobClient.Job job = new JobClient.Job(id.value(), metadata.kind(), input, urls);
      HttpStatusCode response = metadata.trace().call(() -> client.submit(job)).getStatusCode();
      if (response.is2xxSuccessful()) {
        due.endSubmission(id);
      } else {
        // A redirect is not an acceptance, and redirects are not followed.
        retryOrAbandon(id, metadata, "HTTP " + response.value());
      }
    } catch (HttpClientErrorException e) {
      int status = e.getStatusCode().value();
      if (status == 408 || status == 429) {
        retryOrAbandon(id, metadata, "HTTP " + status);
      } else {
        fail(id, metadata, "The external system rejected the job (HTTP " + status + ").");
      }
    } catch (RestClientException e) {
      retryOrAbandon(id, metadata, String.valueOf(e.getMessage()));
    }
  }

  private void retryOrAbandon(OperationId id, OperationMetadata metadata, String reason) {
    failed.increment();
    LOG.atDebug()
        .addKeyValue("operation_id", id)
        .addKeyValue("correlation_id", metadata.correlationId())
        .addKeyValue("reason", reason)
        .log("submission_failed");
    long ageMillis = time.micros(id.partition()) / 1_000 - metadata.createdAtMillis();
    if (ageMillis >= properties.giveUpAfter().toMillis()) {
      fail(id, metadata, "The external system could not be reached.");
    }
  }

  private void fail(OperationId id, OperationMetadata metadata, String message) {
    StateChange state =
        new StateChange(OperationStatus.FAILED, null, message, null, time.micros(id.partition()));
    ChangeResult change =
        changes.store(
            Hop.INITIATED,
            "external_failed",
            id,
            metadata,
            context -> store.failNotAccepted(id, metadata, state, context));
    if (change == ChangeResult.STORED) {
      LOG.atWarn()
          .addKeyValue("operation_id", id)
          .addKeyValue("correlation_id", metadata.correlationId())
          .addKeyValue("trace_id", metadata.trace().traceId())
          .addKeyValue("detail", message)
          .log("operation_not_accepted");
    }
  }

  /** Claims operations whose jobs have to be submitted again. */
  void claim() {
    due.claimSubmissions(properties.retry(), MAX_CLAIMED).forEach(this::submitSoon);
  }

  void start() {
    for (int i = 0; i < properties.concurrency(); i++) {
      workers.add(Thread.ofVirtual().name("submitter-", i).start(this::work));
    }
  }

  void stop() {
    workers.forEach(Thread::interrupt);
  }
}
