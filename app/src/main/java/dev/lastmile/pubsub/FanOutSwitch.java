package dev.lastmile.pubsub;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.lastmile.store.FanOut;
import dev.lastmile.streams.Dispatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;

/**
 * The fan-out mode of this replica, which can be changed while it runs. Only the demo changes it;
 * otherwise the configured mode stays.
 *
 * <p>In the mode {@code local-only} the replica does not publish, subscribe, redeliver or repair
 * gaps, and it is never judged stalled. Presence, ledger and totals continue. The other modes
 * differ only in the Pub/Sub channels of an update, so they can be changed at one replica after the
 * other. While messages are discarded, the subscription exists and delivers nothing, even after a
 * resubscription; the replica has to detect that by its canary.
 *
 * <p>Each change of state asks once whether it is published, so a change that began before the
 * switch ends as it began. Such a publication may find no subscriber, and such an update may reach
 * only this replica's streams. Both are in the ledger: the first expires, the second is
 * redelivered. The new subscription reads the state of every stream after it is confirmed.
 *
 * <p>Any thread. Listeners run on the thread that switches and must not block.
 */
@Component
public final class FanOutSwitch implements FanOut {
  private final FanOut.Mode configured;
  private final ObjectProvider<Dispatcher> dispatcher;
  private volatile FanOut.Mode mode;
  private volatile boolean discarding;

  @GuardedBy("this")
  private final List<Consumer<Boolean>> publishingListeners = new ArrayList<>();

  @GuardedBy("this")
  private final List<Runnable> receivingAgainListeners = new ArrayList<>();

  /**
   * @param dispatcher takes envelopes that are not published; the dispatcher itself needs the
   *     store, which needs this
   */
  FanOutSwitch(FanOutProperties properties, ObjectProvider<Dispatcher> dispatcher) {
    this.configured = properties.fanOut();
    this.dispatcher = dispatcher;
    this.mode = configured;
  }

  @Override
  public FanOut.Mode mode() {
    return mode;
  }

  /** Whether updates are published, and those of other replicas are received. */
  boolean publishes() {
    return mode.publishes();
  }

  @Override
  public void dispatchLocally(byte[] envelope) {
    dispatcher.getObject().receive(envelope);
  }

  /** Whether every message of the subscription is discarded. */
  public boolean isDiscarding() {
    return discarding;
  }

  /** The mode of the settings. */
  public FanOut.Mode configured() {
    return configured;
  }

  /** Switches to another mode. Does nothing if it is the present one. */
  public synchronized void use(FanOut.Mode wanted) {
    boolean published = mode.publishes();
    mode = wanted;
    if (published != wanted.publishes()) {
      publishingListeners.forEach(listener -> listener.accept(wanted.publishes()));
    }
  }

  /** Discards every message of the subscription, or ends that. Does nothing if it is so already. */
  public synchronized void discard(boolean now) {
    boolean before = discarding;
    discarding = now;
    if (before && !now) {
      receivingAgainListeners.forEach(Runnable::run);
    }
  }

  /** Calls the listener at each change of {@link #publishes}. */
  synchronized void onPublishing(Consumer<Boolean> listener) {
    publishingListeners.add(listener);
  }

  /** Calls the listener when messages are no longer discarded. */
  synchronized void onReceivingAgain(Runnable listener) {
    receivingAgainListeners.add(listener);
  }
}
