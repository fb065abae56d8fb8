package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Operations that the external system has not accepted yet.
 *
 * <p>The list is in Redis, written by the same script that creates the operation: a replica that
 * dies right after it loses nothing, another one claims the operation when its lease is over. Two
 * replicas may still submit the same operation; its id is the job's id, so twice is once. Blocks as
 * {@link OperationStore} does.
 */
public final class Submissions {
  private final RedisLink link;

  Submissions(RedisLink link) {
    this.link = link;
  }

  /**
   * Takes operations whose time has come, for as long as the lease lasts.
   *
   * @param most per partition
   */
  public List<OperationId> claim(Duration lease, int most) {
    List<OperationId> claimed = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      List<Object> ids =
          link.run(
              Script.CLAIM,
              List.of(Keys.submissions(partition)),
              List.of(
                  Long.toString(lease.toMillis()).getBytes(UTF_8),
                  Integer.toString(most).getBytes(UTF_8)));
      ids.forEach(id -> claimed.add(new OperationId(new String((byte[]) id, UTF_8))));
    }
    return claimed;
  }

  /** The external system has accepted the job, or it is over: nobody submits it again. */
  public void done(OperationId id) {
    link.call(
        commands -> commands.zrem(Keys.submissions(id.partition()), id.value().getBytes(UTF_8)));
    link.call(commands -> commands.hdel(Keys.pointer(id), "job"));
  }
}
