package dev.lastmile.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Operations that are due: the job is not accepted yet, no report has come for longer than {@code
 * lastmile.overdue.after}, or there is no outcome at the deadline.
 *
 * <p>The lists are in Redis. Every replica claims entries of all partitions under a lease: a
 * replica that cannot reach the external system must not keep them. The script that creates an
 * operation adds it, so a crash of the replica loses no job: another replica claims it after the
 * lease. The script that stores a report also sets the time at which the operation is overdue
 * again. So a lost callback is detected by the next replica that claims. Blocks as {@link
 * OperationStore} does.
 */
@Component
public final class DueOperations {
  private static final Logger LOG = LoggerFactory.getLogger(DueOperations.class);

  private final RedisConnection redis;
  private final OverdueProperties overdue;

  /** The partitions with which the next claims begin. */
  private final AtomicInteger nextOverdue = new AtomicInteger();

  private final AtomicInteger nextDeadline = new AtomicInteger();

  DueOperations(RedisConnection redis, OverdueProperties overdue) {
    this.redis = redis;
    this.overdue = overdue;
  }

  /**
   * Claims operations whose jobs are due for submission, for the duration of the lease. Two
   * replicas may submit the same job. This has no effect, because the job id is the operation id.
   *
   * @param limit maximum number per partition
   */
  public List<OperationId> claimSubmissions(Duration lease, int limit) {
    return claim(Partition.ALL.stream(), Keys::submissions, lease, limit);
  }

  /** Ends the submission: the external system has accepted the job, or the operation is final. */
  public void endSubmission(OperationId id) {
    redis.call(id.partition(), commands -> commands.hdel(Keys.operationMetadata(id), "job"));
    // Last: if the commands before fail, the submission is claimed and ended again.
    remove(Keys.submissions(id.partition()), id);
  }

  /**
   * Claims overdue operations. No other replica can claim them for {@code lastmile.overdue.lease}.
   *
   * @param limit maximum number of operations
   */
  public List<OperationId> claimOverdue(int limit) {
    return claimAny(Keys::overdue, nextOverdue, limit);
  }

  /** Claims operations whose deadline has passed, as {@link #claimOverdue}. */
  public List<OperationId> claimDeadlines(int limit) {
    return claimAny(Keys::deadlines, nextDeadline, limit);
  }

  private List<OperationId> claimAny(
      Function<Partition, String> key, AtomicInteger next, int limit) {
    // A call begins where the last one ended, so that every partition gets its turn.
    int turns = Math.min(limit, Partition.COUNT);
    int first = next.getAndAdd(turns);
    return turns == 0
        ? List.of()
        : claim(
            IntStream.range(0, turns)
                .mapToObj(i -> Partition.ALL.get(Math.floorMod(first + i, Partition.COUNT))),
            key,
            overdue.lease(),
            limit / turns);
  }

  /** Starts all claims before it waits for the first one. */
  private List<OperationId> claim(
      Stream<Partition> partitions, Function<Partition, String> key, Duration lease, int limit) {
    return partitions.map(partition -> start(key.apply(partition), lease, limit)).toList().stream()
        .flatMap(claim -> claimed(claim).stream())
        .toList();
  }

  /** Removes an operation from the deadlines: it has an outcome, or does not exist any more. */
  public void endDeadline(OperationId id) {
    remove(Keys.deadlines(id.partition()), id);
  }

  /** Removes an operation that does not exist any more, so that it is not polled again. */
  public void endOverdue(OperationId id) {
    remove(Keys.overdue(id.partition()), id);
  }

  private void remove(String key, OperationId id) {
    redis.call(id.partition(), commands -> commands.zrem(key, id.value().getBytes(UTF_8)));
  }

  private CompletionStage<List<Object>> start(String key, Duration lease, int limit) {
    ScriptArguments arguments = new ScriptArguments().add(lease).add(limit);
    return redis.completing(() -> redis.start(Script.CLAIM, List.of(key), arguments));
  }

  /** Nothing of a partition whose primary is away: the others do not wait for it. */
  private List<OperationId> claimed(CompletionStage<List<Object>> claim) {
    try {
      return redis.await(claim).stream()
          .map(id -> new OperationId(new String((byte[]) id, UTF_8)))
          .toList();
    } catch (RedisUnavailableException e) {
      LOG.atDebug().setCause(e).log("claim_postponed");
      return List.of();
    }
  }
}
