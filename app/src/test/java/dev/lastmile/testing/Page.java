package dev.lastmile.testing;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What one browser shows: built from the stream and the lists by the rules that every client has to
 * know, and by nothing of the service.
 *
 * <p>Within an epoch the higher version wins; another epoch replaces. After a {@code reset},
 * whatever has not come again up to the reset's cursor is forgotten. Its readers and its test call
 * it from any thread.
 */
final class Page {
  /** A place in the updates of a channel. */
  record Place(String epoch, long sequence) {
    static Place of(String cursor) {
      return new Place(cursor.substring(0, 16), Long.parseLong(cursor.substring(17)));
    }

    boolean covers(Place other) {
      return epoch.equals(other.epoch) && sequence >= other.sequence;
    }

    @Override
    public String toString() {
      return epoch + "-" + sequence;
    }
  }

  /** A version of an operation and where it was met; from a list, the list's cursor. */
  record Shown(Place at, long version, String status) {
    boolean isFinal() {
      return status.equals("SUCCEEDED") || status.equals("FAILED");
    }
  }

  /**
   * A question to the service, as a stream or a list.
   *
   * @param after from where; empty for everything
   * @param generation of this page when it was asked
   * @param known what no answer may fall behind; only the reader of the answer writes to it
   */
  record Question(String after, long generation, Map<String, Shown> known) {}

  /**
   * How versions were learned first, and how often an answer fell behind what was known before it
   * was asked for.
   */
  record Counts(long live, long replay, long poll, long wentBack) {}

  private final Map<String, Shown> shown = new HashMap<>();

  /** Created here and not shown yet. */
  private final Set<String> created = new HashSet<>();

  /** Shown since before a reset, and not met again. */
  private final Set<String> unconfirmed = new HashSet<>();

  /** Left for another one: what still comes of them is late. */
  private final Set<String> pastEpochs = new HashSet<>();

  private String epoch = "";
  private Place resume;
  private Place replayedUpTo;
  private Place resetAt;
  private long generation;
  private long live;
  private long replay;
  private long poll;
  private long wentBack;

  /** Before a stream or a list is asked for. */
  synchronized Question ask() {
    return new Question(resume == null ? "" : resume.toString(), generation, new HashMap<>(shown));
  }

  /**
   * A stream has begun: what follows, up to here, is what came after the cursor it was asked for.
   */
  synchronized void ready(Question question, Place head) {
    if (question.after().isEmpty()) {
      reset(head);
    } else {
      replayedUpTo = head;
    }
  }

  /** What follows on the stream, up to here, replaces everything. */
  synchronized void reset(Place head) {
    enter(head.epoch());
    replayedUpTo = head;
    resume = null;
    resetAt = head;
    unconfirmed.addAll(shown.keySet());
    generation++;
    reached(new Place(head.epoch(), 0));
  }

  /** The stream stands here: everything up to it has been on it. */
  synchronized void stands(Place position) {
    reached(position);
  }

  /**
   * An update came on the stream.
   *
   * @param resumable whether it had an id
   * @return how it came, for its ack: {@code live}, {@code replay}; null if it is of a past epoch
   */
  synchronized String update(Question question, String operation, Shown update, boolean resumable) {
    Place at = update.at();
    if (pastEpochs.contains(at.epoch())) {
      return null;
    }
    if (!at.epoch().equals(epoch)) {
      enter(at.epoch());
    }
    boolean news = meet(question, operation, update);
    boolean isLive = replayedUpTo != null && !replayedUpTo.covers(at) && sameEpoch(replayedUpTo);
    if (isLive) {
      live += news ? 1 : 0;
    } else {
      replay += news ? 1 : 0;
    }
    if (resumable && (resume == null || at.covers(resume))) {
      resume = at;
    }
    reached(at);
    return isLive ? "live" : "replay";
  }

  /**
   * A list came.
   *
   * @param reset whether it replaces everything
   * @return what was learned from it; null if it answers a page that is no more
   */
  synchronized Set<String> list(
      Question question, Place cursor, boolean reset, Map<String, Shown> operations) {
    if (question.generation() != generation) {
      return null;
    }
    if (!cursor.epoch().equals(epoch)) {
      enter(cursor.epoch());
    }
    Set<String> news = new HashSet<>();
    operations.forEach((operation, update) -> {
      if (meet(question, operation, update)) {
        news.add(operation);
      }
    });
    poll += news.size();
    if (reset || question.after().isEmpty()) {
      // What the stream brought after the list was read stays.
      shown
          .entrySet()
          .removeIf(entry ->
              !operations.containsKey(entry.getKey())
                  && (cursor.covers(entry.getValue().at()) || !sameEpoch(entry.getValue().at())));
      created.clear();
    }
    if (resume == null || cursor.covers(resume)) {
      resume = cursor;
    }
    reached(cursor);
    return news;
  }

  /** The browser has been told that this operation exists. */
  synchronized void created(String operation) {
    if (!shown.containsKey(operation)) {
      created.add(operation);
    }
  }

  /** Whether there is something that is not final yet, as far as the browser knows. */
  synchronized boolean isPending() {
    return !created.isEmpty() || !shown.values().stream().allMatch(Shown::isFinal);
  }

  synchronized Map<String, Shown> shown() {
    return Map.copyOf(shown);
  }

  /** What is shown and has come again since the last reset: the rest is about to be forgotten. */
  synchronized Map<String, Shown> confirmed() {
    Map<String, Shown> confirmed = new HashMap<>(shown);
    confirmed.keySet().removeAll(unconfirmed);
    return confirmed;
  }

  synchronized String epoch() {
    return epoch;
  }

  synchronized Counts counts() {
    return new Counts(live, replay, poll, wentBack);
  }

  private void enter(String next) {
    if (next.equals(epoch)) {
      return;
    }
    if (!epoch.isEmpty()) {
      pastEpochs.add(epoch);
      created.clear();
    }
    pastEpochs.remove(next);
    epoch = next;
    resume = null;
    generation++;
  }

  private boolean sameEpoch(Place place) {
    return place.epoch().equals(epoch);
  }

  /** Shows it unless something newer is shown; whether it was news. */
  private boolean meet(Question question, String operation, Shown update) {
    unconfirmed.remove(operation);
    created.remove(operation);
    Shown known = question.known().put(operation, update);
    if (isBehind(update, known)) {
      wentBack++;
    }
    Shown before = shown.get(operation);
    if (before != null && sameEpoch(before.at()) && update.version() <= before.version()) {
      return false;
    }
    shown.put(operation, update);
    return true;
  }

  private static boolean isBehind(Shown update, Shown known) {
    return known != null
        && known.at().epoch().equals(update.at().epoch())
        && update.version() < known.version();
  }

  private void reached(Place place) {
    if (resetAt != null && place.covers(resetAt)) {
      shown.keySet().removeAll(unconfirmed);
      unconfirmed.clear();
      resetAt = null;
    }
  }
}
