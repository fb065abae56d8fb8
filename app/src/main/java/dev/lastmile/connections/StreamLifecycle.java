package dev.lastmile.connections;

import org.springframework.context.ApplicationListener;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextClosedEvent;

/**
 * Starts the threads of this package, and ends all streams that are left when the replica stops
 * ({@link Drain} has ended the others): before the web server waits for its requests, which an open
 * stream would never let it do.
 */
final class StreamLifecycle implements SmartLifecycle, ApplicationListener<ContextClosedEvent> {
  private final Registry registry;
  private final Dispatcher dispatcher;
  private final Heartbeats heartbeats;
  private final BatchClose batchClose;
  private volatile boolean running;

  StreamLifecycle(
      Registry registry, Dispatcher dispatcher, Heartbeats heartbeats, BatchClose batchClose) {
    this.registry = registry;
    this.dispatcher = dispatcher;
    this.heartbeats = heartbeats;
    this.batchClose = batchClose;
  }

  @Override
  public void start() {
    dispatcher.start();
    heartbeats.start();
    running = true;
  }

  @Override
  public void onApplicationEvent(ContextClosedEvent event) {
    if (running) {
      registry.shutDown();
    }
  }

  @Override
  public void stop() {
    running = false;
    dispatcher.close();
    heartbeats.close();
    batchClose.close();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** Before what brings updates (phase 0) starts, and after it has stopped. */
  @Override
  public int getPhase() {
    return -1;
  }
}
