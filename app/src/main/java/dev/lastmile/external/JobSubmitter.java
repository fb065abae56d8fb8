package dev.lastmile.external;

import dev.lastmile.coordination.Change;
import dev.lastmile.coordination.NewState;
import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.Pointer;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.coordination.Submissions;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.HopRecorder.OpenHop;
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
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.RestClientException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Submits jobs until they are accepted or given up.
 *
 * <p>New operations come through a bounded queue and are submitted at once by a few virtual
 * threads. What is lost with this replica, or does not fit, or was not accepted, is in Redis and is
 * claimed by whichever replica looks next. An operation that the external system refuses (4xx), or
 * has not accepted in time, becomes {@code FAILED}: visible, never lost.
 */
final class JobSubmitter implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(JobSubmitter.class);
  private static final int CLAIM = 32;

  private final ExternalSystem external;
  private final ExternalProperties properties;
  private final OperationStore store;
  private final Submissions submissions;
  private final RedisTime time;
  private final HopRecorder hops;
  private final JsonMapper mapper;
  private final BlockingQueue<OperationId> queue;

  /** Queued or being submitted: a claim does not queue them again. */
  private final Set<OperationId> underWay = ConcurrentHashMap.newKeySet();

  private final Counter postponed;
  private final Counter failed;
  private final List<Thread> workers = new ArrayList<>();
  private final ScheduledExecutorService claims =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("submission-claims").daemon().factory());
  private volatile boolean running;

  JobSubmitter(
      ExternalSystem external,
      ExternalProperties properties,
      OperationStore store,
      Submissions submissions,
      RedisTime time,
      HopRecorder hops,
      JsonMapper mapper,
      MeterRegistry meters) {
    this.external = external;
    this.properties = properties;
    this.store = store;
    this.submissions = submissions;
    this.time = time;
    this.hops = hops;
    this.mapper = mapper;
    this.queue = new ArrayBlockingQueue<>(properties.queue());
    this.postponed = Metric.SUBMISSIONS_POSTPONED.counter(meters);
    this.failed = Metric.SUBMISSIONS_FAILED.counter(meters);
  }

  /** Takes an operation that has just been created. Never blocks. */
  void submitSoon(OperationId id) {
    if (underWay.add(id) && !queue.offer(id)) {
      underWay.remove(id);
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
      } catch (RedisAwayException e) {
        LOG.atDebug().setCause(e).addKeyValue("operation_id", id).log("submission_postponed");
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).addKeyValue("operation_id", id).log("submission_broke");
      } finally {
        underWay.remove(id);
      }
    }
  }

  private void submit(OperationId id) {
    Optional<Pointer> found = store.pointerWithJob(id);
    if (found.isEmpty()) {
      submissions.done(id);
      return;
    }
    Pointer pointer = found.get();
    try {
      JsonNode input = mapper.readTree(pointer.job());
      List<String> urls =
          properties.callbackUrls().stream().map(base -> base + "/api/callbacks/" + id).toList();
      ExternalSystem.Job job = new ExternalSystem.Job(id.value(), pointer.kind(), input, urls);
      HttpStatusCode answer = pointer.trace().call(() -> external.submit(job)).getStatusCode();
      if (answer.is2xxSuccessful()) {
        submissions.done(id);
      } else {
        // A redirect is no acceptance, and nobody follows it.
        retryOrGiveUp(id, pointer, "HTTP " + answer.value());
      }
    } catch (HttpClientErrorException e) {
      int status = e.getStatusCode().value();
      if (status == 408 || status == 429) {
        retryOrGiveUp(id, pointer, "HTTP " + status);
      } else {
        fail(id, pointer, "The external system refused the job (HTTP " + status + ").");
      }
    } catch (RestClientException e) {
      retryOrGiveUp(id, pointer, String.valueOf(e.getMessage()));
    }
  }

  private void retryOrGiveUp(OperationId id, Pointer pointer, String why) {
    failed.increment();
    LOG.atDebug()
        .addKeyValue("operation_id", id)
        .addKeyValue("correlation_id", pointer.correlationId())
        .addKeyValue("why", why)
        .log("submission_failed");
    long ageMillis = time.micros() / 1_000 - pointer.createdAtMillis();
    if (ageMillis >= properties.giveUpAfter().toMillis()) {
      fail(id, pointer, "The external system could not be reached.");
    }
  }

  private void fail(OperationId id, Pointer pointer, String message) {
    NewState state = new NewState(OperationStatus.FAILED, null, message, null, time.micros());
    try (OpenHop hop = hops.begin(Hop.INITIATED, pointer.trace())) {
      Change change;
      try {
        change = store.changeWithoutRevision(id, pointer, state, hop.context());
      } catch (RedisAwayException e) {
        hop.end("unavailable", Subject.of(id, pointer.correlationId()));
        throw e;
      }
      if (change == Change.STORED) {
        hop.end("external_failed", Subject.of(id, pointer.correlationId()));
        LOG.atWarn()
            .addKeyValue("operation_id", id)
            .addKeyValue("correlation_id", pointer.correlationId())
            .addKeyValue("trace_id", pointer.trace().traceId())
            .addKeyValue("detail", message)
            .log("operation_not_accepted");
      }
    }
  }

  private void claim() {
    try {
      submissions.claim(properties.retry(), CLAIM).forEach(this::submitSoon);
    } catch (RedisAwayException e) {
      LOG.atDebug().setCause(e).log("claim_failed");
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("claim_broke");
    }
  }

  @Override
  public void start() {
    for (int i = 0; i < properties.concurrency(); i++) {
      workers.add(Thread.ofVirtual().name("submitter-", i).start(this::work));
    }
    long pause = Math.clamp(properties.retry().toMillis() / 4, 50, 1_000);
    var _ = claims.scheduleWithFixedDelay(this::claim, pause, pause, TimeUnit.MILLISECONDS);
    running = true;
  }

  @Override
  public void stop() {
    running = false;
    claims.shutdownNow();
    workers.forEach(Thread::interrupt);
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
