package dev.lastmile.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
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
    List<OperationId> claimed = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      claimed.addAll(claim(Keys.submissions(partition), lease, limit));
    }
    return claimed;
  }

  /** Ends the submission: the external system has accepted the job, or the operation is final. */
  public void endSubmission(OperationId id) {
    remove(Keys.submissions(id.partition()), id);
    redis.call(commands -> commands.hdel(Keys.operationMetadata(id), "job"));
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
    List<OperationId> claimed = new ArrayList<>();
    // A call begins where the last one ended, so that every partition gets its turn.
    for (int i = 0; i < Partition.COUNT && claimed.size() < limit; i++) {
      Partition partition =
          Partition.ALL.get(Math.floorMod(next.getAndIncrement(), Partition.COUNT));
      claimed.addAll(claim(key.apply(partition), overdue.lease(), limit - claimed.size()));
    }
    return claimed;
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
    redis.call(commands -> commands.zrem(key, id.value().getBytes(UTF_8)));
  }

  private List<OperationId> claim(String key, Duration lease, int limit) {
    ScriptArguments arguments = new ScriptArguments().add(lease).add(limit);
    return redis.run(Script.CLAIM, List.of(key), arguments).stream()
        .map(id -> new OperationId(new String((byte[]) id, UTF_8)))
        .toList();
  }
}
