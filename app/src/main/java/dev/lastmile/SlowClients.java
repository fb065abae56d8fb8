package dev.lastmile;

import dev.lastmile.Refusals.Reason;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.AbstractConnector;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Cuts connections whose client sends its request, or reads its answer, by the drop.
 *
 * <p>An idle time-out does not see them: every drop begins it anew. So one look a second at all
 * connections compares how many bytes and messages each had; no timer and no thread is needed per
 * connection. A stream is left alone: it has switched its idle time-out off and judges its reader
 * itself.
 */
final class SlowClients extends AbstractLifeCycle {
  private static final Duration PAUSE = Duration.ofSeconds(1);

  /**
   * What a connection was doing when it was looked at.
   *
   * @param answered messages that it had begun to answer
   * @param busy whether a request was being served, or its answer was waiting for the client
   * @param bytes what it had sent when it last rested
   * @param sinceNanos since when it has been doing the same; 0 while it rests
   */
  private record State(long answered, boolean busy, long bytes, long sinceNanos) {}

  private final AbstractConnector connector;
  private final HttpProperties properties;
  private final Refusals refusals;
  private final LongSupplier nanos;
  private final Map<EndPoint, State> states = new ConcurrentHashMap<>();
  private volatile Scheduler.Task next = () -> false;

  SlowClients(
      AbstractConnector connector,
      HttpProperties properties,
      Refusals refusals,
      LongSupplier nanos) {
    this.connector = connector;
    this.properties = properties;
    this.refusals = refusals;
    this.nanos = nanos;
  }

  @Override
  protected void doStart() {
    schedule();
  }

  @Override
  protected void doStop() {
    next.cancel();
  }

  private void schedule() {
    next = connector.getScheduler().schedule(this::look, PAUSE.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void look() {
    try {
      states.keySet().removeIf(endPoint -> !endPoint.isOpen());
      connector.getConnectedEndPoints().forEach(this::look);
    } finally {
      if (isRunning()) {
        schedule();
      }
    }
  }

  private void look(EndPoint endPoint) {
    Connection connection = endPoint.getConnection();
    if (connection == null || endPoint.getIdleTimeout() <= 0) {
      states.remove(endPoint);
      return;
    }
    long now = nanos.getAsLong();
    State before = states.get(endPoint);
    State state = state(connection, isWriting(endPoint), before, now);
    states.put(endPoint, state);
    if (state.sinceNanos() == 0) {
      return;
    }
    Duration limit = state.busy() ? properties.exchangeTimeout() : properties.headTimeout();
    if (now - state.sinceNanos() > limit.toNanos()) {
      refusals.count(state.busy() ? Reason.ANSWER_TIME : Reason.HEAD_TIME);
      states.remove(endPoint);
      endPoint.close(new TimeoutException("slow client"));
    }
  }

  /**
   * An answer counts as sent when it begins; until it ends the socket takes no more bytes of it.
   */
  private static boolean isWriting(EndPoint endPoint) {
    return endPoint instanceof AbstractEndPoint sockets && sockets.getWriteFlusher().isPending();
  }

  private static State state(
      Connection connection, boolean writing, @Nullable State before, long now) {
    long answered = connection.getMessagesOut();
    boolean busy = writing || connection.getMessagesIn() > answered;
    long bytes = connection.getBytesIn();
    if (before == null || before.answered() != answered) {
      // The first look at it, or it has answered meanwhile: what came since then is not told apart.
      boolean begun = busy || (answered == 0 && bytes > 0);
      return new State(answered, busy, begun ? 0 : bytes, begun ? now : 0);
    }
    boolean rests = !busy && bytes == before.bytes();
    if (rests) {
      return new State(answered, false, bytes, 0);
    }
    boolean same = before.sinceNanos() != 0 && before.busy() == busy;
    return new State(answered, busy, before.bytes(), same ? before.sinceNanos() : now);
  }
}
