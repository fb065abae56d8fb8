package dev.lastmile.testkit.browser;

import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The operations that one browser shows. It applies the client rules of the protocol and shares no
 * code with the service.
 *
 * <p>Within an epoch the higher version wins; another epoch, or a reset, replaces all versions.
 * After a {@code reset}, operations that were not delivered again up to the cursor of the reset are
 * removed. When another term begins, updates that were shown above the position of the stream may
 * be lost; the next list tells, see {@link Question#shown}. All methods can be called from any
 * thread.
 */
final class SimulatedPage {
  /** A version of an operation, its cursor and the time of its change. */
  record Shown(Place at, long version, String status, Instant updatedAt) {
    boolean isFinal() {
      return status.equals("SUCCEEDED") || status.equals("FAILED");
    }
  }

  /**
   * A request for a stream or a list.
   *
   * @param after the cursor to resume from; empty for everything
   * @param shown for a list: the cursor of the newest update that is shown, if a term has begun
   *     since or it is above {@code after}; otherwise empty
   * @param term term of the page at the time of the request
   * @param generation generation of the page at the time of the request
   * @param known versions that the response must not regress behind; only the thread that reads the
   *     response writes to it
   */
  record Question(
      String after, String shown, String term, long generation, Map<String, Shown> known) {}

  /** Versions by the way in which the browser first learned them, and the number of regressions. */
  record Counts(long live, long replay, long poll, long wentBack) {}

  /** A version that the page received; another one with its number has another time. */
  record Received(String operation, long version, Instant updatedAt) {}

  private static final int MAX_SHOWN = 400;
  private static final int MAX_RECEIVED = 10_000;

  private final Map<String, Shown> shown = new LinkedHashMap<>();

  /** All versions that it ever received, until they were taken. */
  private final Set<Received> received = new HashSet<>();

  /** Operations that this browser created and that are not shown yet. */
  private final Set<String> created = new HashSet<>();

  /** Operations that were shown before a reset and were not delivered again since. */
  private final Set<String> unconfirmed = new HashSet<>();

  private final PageTerms terms = new PageTerms();
  private Place resume;

  /** The sequence up to which the stream has delivered everything. */
  private long streamed;

  private Place replayedUpTo;
  private Place resetAt;
  private long generation;
  private long resets;
  private long live;
  private long replay;
  private long poll;
  private long wentBack;

  /** The parameters for the next request of a stream or a list. */
  synchronized Question ask() {
    Place unchecked = terms.unchecked(resume);
    return new Question(
        resume == null || terms.needsEverything() ? "" : resume.toString(),
        unchecked == null ? "" : unchecked.toString(),
        terms.term(),
        generation,
        new HashMap<>(shown));
  }

  /** As {@link #ask()}, for a stream that replaces the one before. */
  synchronized Question askStream() {
    streamed = resume == null || terms.needsEverything() ? 0 : resume.sequence();
    return ask();
  }

  /** Handles {@code ready}. Updates up to the head are the replay after the requested cursor. */
  synchronized void ready(Question question, Place head) {
    if (question.after().isEmpty()) {
      begin(question, head);
    } else {
      replayedUpTo = head;
      if (!terms.isPastTerm(head)) {
        enterTerm(head, streamed);
      }
    }
  }

  /** Handles {@code reset}. Updates up to the head replace all shown operations. */
  synchronized void reset(Question question, Place head) {
    resets++;
    begin(question, head);
  }

  private void begin(Question question, Place head) {
    enter(head.epoch());
    terms.replaced(head);
    question.known().clear();
    streamed = 0;
    replayedUpTo = head;
    resume = null;
    resetAt = head;
    unconfirmed.addAll(shown.keySet());
    terms.reloaded();
    generation++;
    reached(new Place(head.epoch(), 0, head.term(), ""));
  }

  /** Handles the cursor of a heartbeat: the stream has delivered all updates up to it. */
  synchronized void stands(Place position) {
    if (terms.isPastTerm(position)) {
      terms.cameLate();
      return;
    }
    enterTerm(position, streamed);
    streamed = Math.max(streamed, position.sequence());
    reached(position);
  }

  /** Whether a list has to tell whether shown updates were lost. */
  synchronized boolean hasClaim() {
    return terms.needsList();
  }

  /** Whether the stream has to begin anew; false from then on. */
  synchronized boolean takeReopen() {
    return terms.takeReopen();
  }

  /**
   * Handles an update of the stream.
   *
   * @param resumable whether the event had an id
   * @return the value of {@code via} for the ack, {@code live} or {@code replay}; null for a past
   *     epoch or term
   */
  synchronized String update(Question question, String operation, Shown update, boolean resumable) {
    Place at = update.at();
    if (terms.isPastEpoch(at)) {
      return null;
    }
    if (terms.isPastTerm(at)) {
      terms.cameLate();
      return null;
    }
    enter(at.epoch());
    enterTerm(at, streamed);
    if (resumable) {
      streamed = Math.max(streamed, at.sequence());
    }
    boolean news = meet(question, operation, update);
    boolean isLive =
        replayedUpTo != null && !replayedUpTo.covers(at) && terms.isPresentEpoch(replayedUpTo);
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
   * Handles a list.
   *
   * @param reset whether the list replaces all shown operations
   * @return the operations that the list changed; null if the page has had a reset or another epoch
   *     or term since the request
   */
  synchronized Set<String> list(
      Question question, Place cursor, boolean reset, Map<String, Shown> operations) {
    boolean old = !question.term().equals(terms.term()) && !cursor.term().equals(terms.term());
    if (question.generation() != generation || old) {
      return null;
    }
    enter(cursor.epoch());
    terms.checked(question.shown());
    boolean replaces = reset || question.after().isEmpty();
    if (!replaces && terms.isPastTerm(cursor)) {
      terms.listCameLate();
      return null;
    }
    terms.listed();
    if (replaces) {
      terms.replacedByList(cursor);
      resets += reset ? 1 : 0;
      streamed = 0;
      question.known().clear();
      unconfirmed.addAll(shown.keySet());
      resume = resume != null && resume.isAfter(cursor) ? resume : null;
    } else {
      enterTerm(cursor, Math.max(sequence(question.after()), sequence(question.shown())));
    }
    Set<String> news = new HashSet<>();
    operations.forEach((operation, update) -> {
      if (meet(question, operation, update)) {
        news.add(operation);
      }
    });
    poll += news.size();
    if (replaces) {
      // Updates that the stream delivered after the list was read stay.
      shown
          .entrySet()
          .removeIf(entry ->
              !operations.containsKey(entry.getKey()) && !entry.getValue().at().isAfter(cursor));
      created.clear();
      unconfirmed.clear();
    }
    if (resume == null || cursor.covers(resume)) {
      resume = cursor;
    }
    reached(cursor);
    return news;
  }

  /** Records that this browser created an operation. */
  synchronized void created(String operation) {
    if (!shown.containsKey(operation)) {
      created.add(operation);
    }
  }

  /** Whether it shows at least these versions. */
  synchronized boolean shows(Map<String, Shown> state) {
    return state.entrySet().stream()
        .allMatch(entry -> {
          Shown here = shown.get(entry.getKey());
          return here != null && here.version() >= entry.getValue().version();
        });
  }

  /** Whether a shown or created operation is not final yet. */
  synchronized boolean isPending() {
    return !created.isEmpty() || !shown.values().stream().allMatch(Shown::isFinal);
  }

  synchronized Map<String, Shown> shown() {
    return Map.copyOf(shown);
  }

  /** The shown operations except those that wait for confirmation after a reset. */
  synchronized Map<String, Shown> confirmed() {
    Map<String, Shown> confirmed = new HashMap<>(shown);
    confirmed.keySet().removeAll(unconfirmed);
    return confirmed;
  }

  /** All versions that it has received. */
  synchronized Set<Received> received() {
    return Set.copyOf(received);
  }

  /** How often its state was replaced, other than by its first list or stream. */
  synchronized long resets() {
    return resets;
  }

  synchronized String epoch() {
    return terms.epoch();
  }

  synchronized Counts counts() {
    return new Counts(live, replay, poll, wentBack);
  }

  private void enter(String next) {
    boolean first = terms.epoch().isEmpty();
    if (terms.enterEpoch(next)) {
      if (!first) {
        created.clear();
      }
      resume = null;
      generation++;
    }
  }

  private void enterTerm(Place at, long validated) {
    if (terms.enterTerm(at, validated)) {
      generation++;
    }
  }

  private static long sequence(String cursor) {
    return cursor.isEmpty() ? 0 : Place.of(cursor).sequence();
  }

  /** Shows a version unless a newer one is shown; returns whether the page changed. */
  private boolean meet(Question question, String operation, Shown update) {
    boolean replaces = unconfirmed.remove(operation);
    created.remove(operation);
    terms.shows(update.at());
    if (received.size() < MAX_RECEIVED) {
      received.add(new Received(operation, update.version(), update.updatedAt()));
    }
    Shown known = question.known().put(operation, update);
    if (isBehind(update, known)) {
      wentBack++;
    }
    Shown before = shown.get(operation);
    boolean older =
        before != null && terms.isPresentEpoch(before.at()) && update.version() <= before.version();
    if (older) {
      // In another term it may be another version with the same number.
      if ((replaces || terms.hasClaim()) && !before.at().term().equals(update.at().term())) {
        shown.put(operation, update);
      }
      return false;
    }
    shown.put(operation, update);
    if (shown.size() > MAX_SHOWN) {
      forgetOldest();
    }
    return true;
  }

  /** The service has deleted it: a channel keeps half as many operations. */
  private void forgetOldest() {
    for (Iterator<Shown> oldest = shown.values().iterator(); oldest.hasNext(); ) {
      if (oldest.next().isFinal()) {
        oldest.remove();
        return;
      }
    }
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
