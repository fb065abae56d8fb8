package dev.lastmile.testkit.browser;

import java.util.HashSet;
import java.util.Set;

/**
 * The epoch and the term of a page, and what the page shows above its stream's position: such
 * updates may be lost when another term begins. Guarded by the lock of its {@link SimulatedPage}.
 */
final class PageTerms {
  /** Epochs that another epoch has replaced. Their updates are ignored. */
  private final Set<String> pastEpochs = new HashSet<>();

  /** Terms of this epoch that were left. */
  private final Set<String> pastTerms = new HashSet<>();

  private String epoch = "";
  private String term = "";

  /** The newest update that is shown, in the present term. */
  private Place newest;

  /** The newest update that was shown in an earlier term, until a list was read in this one. */
  private Place claim;

  /** Whether the next list has to bring everything. */
  private boolean reload;

  /** Whether the stream has brought an event of a term that was left. */
  private boolean behind;

  /** Whether events of the present term may have been left out, so that the stream begins anew. */
  private boolean reopen;

  String epoch() {
    return epoch;
  }

  String term() {
    return term;
  }

  boolean isPresentEpoch(Place place) {
    return place.epoch().equals(epoch);
  }

  boolean isPastEpoch(Place place) {
    return pastEpochs.contains(place.epoch());
  }

  boolean isPastTerm(Place place) {
    return isPresentEpoch(place) && pastTerms.contains(place.term());
  }

  /** Whether the next list has to bring everything. */
  boolean needsEverything() {
    return reload;
  }

  /** Whether a shown update may be lost. */
  boolean hasClaim() {
    return claim != null;
  }

  /** Whether a list has to tell whether shown updates were lost. */
  boolean needsList() {
    return claim != null || reload || behind;
  }

  /** Whether the stream has to begin anew; false from then on. */
  boolean takeReopen() {
    boolean now = reopen;
    reopen = false;
    return now;
  }

  /** The newest update that a list has to check; null if the position covers it. */
  Place unchecked(Place position) {
    if (claim != null) {
      return claim;
    }
    boolean above = newest != null && (position == null || newest.sequence() > position.sequence());
    return above ? newest : null;
  }

  /** An event of a term that was left has come on the stream. */
  void cameLate() {
    behind = true;
  }

  /** An update is shown. */
  void shows(Place at) {
    if (newest == null || !newest.covers(at)) {
      newest = at;
    }
  }

  /** A list in this term has checked an update. */
  void checked(String update) {
    if (claim != null && update.equals(claim.toString())) {
      claim = null;
    }
  }

  /** A list has come from a term that was left: the server still uses the old primary. */
  void listCameLate() {
    reload = true;
  }

  /** A list of the present term was read. */
  void listed() {
    behind = false;
  }

  /** A list that replaces the state has come. */
  void replacedByList(Place cursor) {
    reopen |= isPastTerm(cursor);
    reload = false;
    replaced(cursor);
  }

  /** All that is shown is replaced: nothing of an earlier term has to be checked. */
  void replaced(Place head) {
    start(head.term());
    claim = null;
    newest = head;
  }

  /** The stream brings everything anew. */
  void reloaded() {
    reload = false;
  }

  /** Enters an epoch; returns whether it is another one. */
  boolean enterEpoch(String next) {
    if (next.equals(epoch)) {
      return false;
    }
    if (!epoch.isEmpty()) {
      pastEpochs.add(epoch);
    }
    pastEpochs.remove(next);
    epoch = next;
    term = "";
    pastTerms.clear();
    reload = false;
    claim = null;
    newest = null;
    return true;
  }

  /**
   * Enters the term of a cursor. What was shown above a sequence may have been lost.
   *
   * @param validated up to here the service has checked that nothing was lost
   * @return whether questions before are void, since of two terms at once nothing is known
   */
  boolean enterTerm(Place at, long validated) {
    if (at.term().equals(term)) {
      return false;
    }
    boolean second = claim != null;
    if (second) {
      reload = true;
    } else if (newest != null && newest.sequence() > validated) {
      claim = newest;
    }
    start(at.term());
    newest = newest == null ? null : new Place(epoch, newest.sequence(), term, newest.check());
    return second;
  }

  private void start(String next) {
    pastTerms.add(term);
    pastTerms.remove(next);
    term = next;
  }
}
