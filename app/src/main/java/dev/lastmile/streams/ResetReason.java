package dev.lastmile.streams;

import dev.lastmile.updates.ClientCursor;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import java.util.Locale;

/**
 * The reason why the state of a client is replaced: a field of the event {@code reset} and a label
 * of the counter.
 */
enum ResetReason {
  /** The cursor is of another channel. */
  CHANNEL,
  /** Keys of Redis were lost since. */
  EPOCH,
  /** Another primary took over, and the client may have seen what was lost. */
  TERM,
  /** The cursor is above everything that is stored. */
  AHEAD,
  /** Retention has deleted what the client missed. */
  RETENTION;

  /** The reason for a client that cannot continue with this delta. */
  static ResetReason of(Delta delta, Cursor resumed) {
    if (resumed.equals(ClientCursor.NOWHERE)) {
      return CHANNEL;
    }
    if (!resumed.epoch().equals(delta.epoch())) {
      return EPOCH;
    }
    if (!delta.continuesPage(resumed)) {
      return resumed.term().equals(delta.term()) ? AHEAD : TERM;
    }
    return RETENTION;
  }

  String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
