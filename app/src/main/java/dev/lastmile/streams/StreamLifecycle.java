package dev.lastmile.streams;

import org.springframework.context.ApplicationListener;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.stereotype.Component;

/**
 * Starts and stops the threads and periodic checks of this package, and closes the remaining
 * streams at shutdown.
 *
 * <p>{@link Drain} has closed most streams before. The rest are closed when the context closes,
 * before the web server waits for open requests, because an open stream would block that wait.
 */
@Component
final class StreamLifecycle implements SmartLifecycle, ApplicationListener<ContextClosedEvent> {
  private final StreamRegistry registry;
  private final Dispatcher dispatcher;
  private final Heartbeats heartbeats;
  private volatile boolean running;

  StreamLifecycle(StreamRegistry registry, Dispatcher dispatcher, Heartbeats heartbeats) {
    this.registry = registry;
    this.dispatcher = dispatcher;
    this.heartbeats = heartbeats;
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
    heartbeats.stop();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** Starts before the subscriptions (phase 0) and stops after them. */
  @Override
  public int getPhase() {
    return -1;
  }
}
