package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.KeyValue;
import io.lettuce.core.SetArgs;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Short notices that the replicas leave each other in Redis, each with an end, so that nothing
 * stays for ever. Only the demo uses it: no delivery depends on a notice.
 *
 * <p>Any thread; blocks for at most the time-out of Redis, and throws {@link RedisAwayException}.
 */
public final class NoticeBoard {
  private final RedisLink link;

  NoticeBoard(RedisLink link) {
    this.link = link;
  }

  /** Puts a notice up, in place of an older one of this name. */
  public void put(String name, String text, Duration atMost) {
    link.call(commands ->
        commands.set(Keys.notice(name), text.getBytes(UTF_8), SetArgs.Builder.px(atMost)));
  }

  /** Takes notices down. */
  public void remove(List<String> names) {
    String[] keys = names.stream().map(Keys::notice).toArray(String[]::new);
    link.call(commands -> commands.del(keys));
  }

  /** Those of the named notices that are there, read at one instant. */
  public Map<String, String> read(List<String> names) {
    String[] keys = names.stream().map(Keys::notice).toArray(String[]::new);
    List<KeyValue<String, byte[]>> values = link.call(commands -> commands.mget(keys));
    Map<String, String> found = new HashMap<>();
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i).hasValue()) {
        found.put(names.get(i), new String(values.get(i).getValue(), UTF_8));
      }
    }
    return found;
  }
}
