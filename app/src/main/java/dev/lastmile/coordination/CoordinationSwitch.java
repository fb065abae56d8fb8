package dev.lastmile.coordination;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Switches this replica's coordination off and on while it runs, to show what happens without. Only
 * the demo does so; without it, what is configured stays.
 *
 * <p>Suspended is as started local-only: no publication, no subscription, no redelivery, no repair
 * of holes, no deafness; presence, ledger and account go on. Deafened, the subscription is there
 * and brings nothing, even when it is made anew, so that the replica has to find that out by
 * itself.
 *
 * <p>Each change of state asks once whether it is published. One that was begun before the switch
 * ends as it was begun: a publication may then find nobody listening, and after the switch back an
 * update may still go to this replica's own streams only. Both stand in the ledger, so the first is
 * counted as lost and the second is asked for again; the new subscription reads every stream from
 * state after it has been confirmed, as after any loss window.
 *
 * <p>Any thread; listeners run on the thread that switches.
 */
public final class CoordinationSwitch {
  private final boolean configured;
  private volatile boolean broadcasts;
  private volatile boolean deafened;

  @GuardedBy("this")
  private final List<Consumer<Boolean>> broadcastListeners = new ArrayList<>();

  @GuardedBy("this")
  private final List<Runnable> hearingAgainListeners = new ArrayList<>();

  /**
   * @param configured whether updates are broadcast unless that is suspended
   */
  CoordinationSwitch(boolean configured) {
    this.configured = configured;
    this.broadcasts = configured;
  }

  /** Whether updates are broadcast, and those of others listened to. */
  public boolean broadcasts() {
    return broadcasts;
  }

  /** Whether everything that the subscription brings is dropped. */
  public boolean isDeafened() {
    return deafened;
  }

  /** Suspends coordination, or ends that. Does nothing if it is so already. */
  public synchronized void suspend(boolean suspended) {
    boolean now = configured && !suspended;
    if (broadcasts != now) {
      broadcasts = now;
      broadcastListeners.forEach(listener -> listener.accept(now));
    }
  }

  /** Makes this replica deaf, or ends that. Does nothing if it is so already. */
  public synchronized void deafen(boolean now) {
    boolean before = deafened;
    deafened = now;
    if (before && !now) {
      hearingAgainListeners.forEach(Runnable::run);
    }
  }

  /** Tells of each switch of {@link #broadcasts}; the listener must not block. */
  synchronized void onBroadcast(Consumer<Boolean> listener) {
    broadcastListeners.add(listener);
  }

  /** Tells that a deafness is over; the listener must not block. */
  synchronized void onHearingAgain(Runnable listener) {
    hearingAgainListeners.add(listener);
  }
}
