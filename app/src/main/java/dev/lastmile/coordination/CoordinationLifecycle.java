package dev.lastmile.coordination;

import dev.lastmile.connections.Dispatcher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Starts dialling before the web server opens its port, and hangs up after it has closed it.
 *
 * <p>After each (re)connection the lease is renewed first, since nothing can be announced without
 * one, and then every stream is checked (by the new subscription): the process behind Redis may be
 * another one, with other state.
 */
final class CoordinationLifecycle implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinationLifecycle.class);

  private final RedisLink link;
  private final Subscriber subscriber;
  private final Leases leases;
  private final Settles settles;
  private final CoordinationTasks tasks;
  private final Dispatcher dispatcher;
  private final CoordinationSwitch coordination;
  private volatile boolean running;
  private volatile boolean upBefore;

  CoordinationLifecycle(
      RedisLink link,
      Subscriber subscriber,
      Leases leases,
      Settles settles,
      CoordinationTasks tasks,
      Dispatcher dispatcher,
      CoordinationSwitch coordination) {
    this.link = link;
    this.subscriber = subscriber;
    this.leases = leases;
    this.settles = settles;
    this.tasks = tasks;
    this.dispatcher = dispatcher;
    this.coordination = coordination;
  }

  @Override
  public void start() {
    leases.onNewIncarnation(heldUntil -> {
      subscriber.lossWindow(heldUntil);
      dispatcher.reconcileAll();
    });
    link.onUp(leases::renewIfUp);
    link.onUp(this::up);
    settles.start();
    link.start();
    coordination.onHearingAgain(() -> subscriber.renew("the deafness is over"));
    coordination.onBroadcast(this::broadcast);
    broadcast(coordination.broadcasts());
    tasks.start();
    running = true;
  }

  /**
   * Coordination is on or off. On: holes are repaired again before the subscription has every
   * stream read for, so that none of them stays behind one.
   */
  private void broadcast(boolean on) {
    dispatcher.repairHoles(on);
    if (on) {
      subscriber.start();
    } else {
      subscriber.pause();
      LOG.atWarn()
          .addKeyValue("detail", "updates reach only streams of the replica that got the callback")
          .log("local_only");
    }
  }

  /** On the dialling thread. */
  private void up() {
    if (!coordination.broadcasts()) {
      dispatcher.reconcileAll();
    } else if (upBefore) {
      // What broke one connection has hardly spared the other; half-open, it would tell us late.
      // The new subscription has every stream checked.
      subscriber.renew("Redis was away");
    }
    upBefore = true;
  }

  @Override
  public void stop() {
    running = false;
    tasks.close();
    subscriber.close();
    settles.close();
    link.close();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** Before the web server (its phases are higher) and therefore stopped after it. */
  @Override
  public int getPhase() {
    return 0;
  }
}
