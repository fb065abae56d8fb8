package dev.lastmile.load;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one browser shows. A newer version replaces an older one and never the other way round; a
 * reset, or another epoch, replaces everything. Any thread.
 */
final class Page {
  /** How a browser learned of an update. */
  enum Via {
    LIVE,
    REPLAY,
    POLL
  }

  /** An operation as it is shown, or as a list has it. */
  record Shown(long version, boolean isFinal) {}

  /** Where a browser stands when it asks for a list. */
  record Question(String cursor, Set<String> shown) {}

  /** An ack that is to be sent. */
  record Ack(String operationId, long version, Via via) {}

  /** The service keeps so many operations per channel. */
  private static final int MOST = 200;

  /** More than this are acked with the next version of the same operation, or never. */
  private static final int MOST_ACKS = 4_096;

  @GuardedBy("this")
  private final Map<String, Shown> shown = new LinkedHashMap<>();

  @GuardedBy("this")
  private final Map<Via, Long> learned = new HashMap<>();

  @GuardedBy("this")
  private final List<Ack> acks = new ArrayList<>();

  /** Where a stream or a list resumes; empty for everything. */
  @GuardedBy("this")
  private String cursor = "";

  synchronized String cursor() {
    return cursor;
  }

  /** Everything that follows replaces what is shown. */
  synchronized void reset() {
    shown.clear();
    cursor = "";
  }

  /**
   * An update of the stream.
   *
   * @param id its cursor; null if it stands after a hole that nobody repairs
   */
  synchronized void update(String operation, Shown update, Via via, @Nullable String id) {
    learn(operation, update, via);
    if (id != null) {
      cursor = id;
    }
  }

  synchronized Question ask() {
    return new Question(cursor, Set.copyOf(shown.keySet()));
  }

  /**
   * The answer to a question.
   *
   * @return false if the page has moved to another epoch meanwhile, so the list is of no use
   */
  synchronized boolean list(Question asked, String next, boolean reset, Map<String, Shown> listed) {
    if (!epoch(asked.cursor()).equals(epoch(cursor))) {
      return false;
    }
    if (reset) {
      // What the stream has brought since it was asked is not in the list and stays.
      shown.keySet().removeIf(o -> asked.shown().contains(o) && !listed.containsKey(o));
      if (!epoch(next).equals(epoch(cursor))) {
        shown.clear();
        cursor = "";
      }
    }
    listed.forEach((operation, update) -> learn(operation, update, Via.POLL));
    if (cursor.isEmpty() || sequence(next) > sequence(cursor)) {
      cursor = next;
    }
    return true;
  }

  @GuardedBy("this")
  private void learn(String operation, Shown update, Via via) {
    Shown known = shown.get(operation);
    if (acks.size() < MOST_ACKS) {
      acks.add(new Ack(operation, update.version(), via));
    }
    if (known == null || known.version() < update.version()) {
      shown.put(operation, update);
      learned.merge(via, 1L, Long::sum);
      if (shown.size() > MOST) {
        forgetOne();
      }
    }
  }

  @GuardedBy("this")
  private void forgetOne() {
    for (Iterator<Shown> i = shown.values().iterator(); i.hasNext(); ) {
      if (i.next().isFinal()) {
        i.remove();
        return;
      }
    }
  }

  synchronized List<Ack> takeAcks(int most) {
    List<Ack> taken = acks.subList(0, Math.min(most, acks.size()));
    List<Ack> batch = List.copyOf(taken);
    taken.clear();
    return batch;
  }

  synchronized boolean isPending() {
    return shown.values().stream().anyMatch(operation -> !operation.isFinal());
  }

  synchronized long learned(Via via) {
    return learned.getOrDefault(via, 0L);
  }

  /** How many of these operations are shown in an older version, or not at all. */
  synchronized int behind(Map<String, Shown> state) {
    int behind = 0;
    for (Map.Entry<String, Shown> entry : state.entrySet()) {
      Shown here = shown.get(entry.getKey());
      if (here == null || here.version() < entry.getValue().version()) {
        behind++;
      }
    }
    return behind;
  }

  private static String epoch(String cursor) {
    int dash = cursor.lastIndexOf('-');
    return dash < 0 ? "" : cursor.substring(0, dash);
  }

  private static long sequence(String cursor) {
    return cursor.isEmpty() ? -1 : Long.parseLong(cursor.substring(cursor.lastIndexOf('-') + 1));
  }
}
