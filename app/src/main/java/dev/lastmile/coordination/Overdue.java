package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import java.util.ArrayList;
import java.util.List;

/**
 * Operations whose external system has been silent for longer than its limit.
 *
 * <p>The same script that stores what it reports sets the time at which it is overdue again, so a
 * callback that was lost on its way, or by a replica that died, is noticed by whichever replica
 * looks next. Blocks as {@link OperationStore} does.
 */
public final class Overdue {
  private final RedisLink link;
  private final OverdueProperties properties;

  /** Where the next call begins; used by one thread. */
  private int next;

  Overdue(RedisLink link, OverdueProperties properties) {
    this.link = link;
    this.properties = properties;
  }

  /**
   * Takes overdue operations; no other replica gets them for the length of the lease.
   *
   * @param most that the caller can ask for at once
   */
  public List<OperationId> claim(int most) {
    List<OperationId> claimed = new ArrayList<>();
    for (int i = 0; i < Partition.COUNT && claimed.size() < most; i++) {
      // Each call begins elsewhere, so that no partition waits for ever.
      Partition partition = Partition.ALL.get(Math.floorMod(next++, Partition.COUNT));
      List<Object> ids =
          link.run(
              Script.CLAIM,
              List.of(Keys.overdue(partition)),
              List.of(
                  Long.toString(properties.lease().toMillis()).getBytes(UTF_8),
                  Integer.toString(most - claimed.size()).getBytes(UTF_8)));
      ids.forEach(id -> claimed.add(new OperationId(new String((byte[]) id, UTF_8))));
    }
    return claimed;
  }

  /** There is no such operation any more: nobody asks for it again. */
  public void forget(OperationId id) {
    link.call(commands -> commands.zrem(Keys.overdue(id.partition()), id.value().getBytes(UTF_8)));
  }
}
