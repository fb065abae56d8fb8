package dev.lastmile.http;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.http.RejectionMetrics.Reason;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.AbstractConnector;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Closes connections whose client sends its request, or reads its response, too slowly.
 *
 * <p>An idle timeout does not detect them, because every byte restarts it. So one check per second
 * compares the byte and message counts of all connections. It needs no timer and no thread per
 * connection. The limits are {@code lastmile.http.head-timeout} for an incomplete request and
 * {@code lastmile.http.exchange-timeout} for a request with its response. Streams are exempt: they
 * have switched their idle timeout off and check the client themselves.
 *
 * <p>While the memory of answers is scarce, each check looks at all responses that have taken
 * longer than five seconds and wait for their clients. It closes the oldest quarter of them. So a
 * few clients that do not read cannot keep others from reading lists.
 */
final class SlowClientGuard extends AbstractLifeCycle {
  private static final Duration CHECK_INTERVAL = Duration.ofSeconds(1);
  private static final Duration SCARCE_TIMEOUT = Duration.ofSeconds(5);
  private static final int PART = 4;

  /**
   * The state of a connection at a check.
   *
   * @param responses the number of responses it had started
   * @param busy whether a request was being served, or its response was waiting for the client
   * @param bytes the bytes it had received when it was last idle
   * @param sinceNanos the start of the current state; 0 while idle
   */
  private record State(long responses, boolean busy, long bytes, long sinceNanos) {}

  private final AbstractConnector connector;
  private final HttpProperties properties;
  private final RejectionMetrics rejections;
  private final PagedAnswers answers;
  private final Ticker ticker;
  private final Map<EndPoint, State> states = new ConcurrentHashMap<>();
  private volatile Scheduler.Task next = () -> false;

  SlowClientGuard(
      AbstractConnector connector,
      HttpProperties properties,
      RejectionMetrics rejections,
      PagedAnswers answers,
      Ticker ticker) {
    this.connector = connector;
    this.properties = properties;
    this.rejections = rejections;
    this.answers = answers;
    this.ticker = ticker;
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
    next =
        connector
            .getScheduler()
            .schedule(this::check, CHECK_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void check() {
    try {
      states.keySet().removeIf(endPoint -> !endPoint.isOpen());
      connector.getConnectedEndPoints().forEach(this::check);
      if (answers.isScarce()) {
        makeRoom();
      }
    } finally {
      if (isRunning()) {
        schedule();
      }
    }
  }

  private void check(EndPoint endPoint) {
    Connection connection = endPoint.getConnection();
    if (connection == null || endPoint.getIdleTimeout() <= 0) {
      states.remove(endPoint);
      return;
    }
    long now = ticker.read();
    State before = states.get(endPoint);
    boolean writing = isWriting(endPoint);
    State state = state(connection, writing, before, now);
    states.put(endPoint, state);
    if (state.sinceNanos() == 0) {
      return;
    }
    Duration limit = state.busy() ? properties.exchangeTimeout() : properties.headTimeout();
    if (now - state.sinceNanos() > limit.toNanos()) {
      close(endPoint, state.busy() ? Reason.ANSWER_TIME : Reason.HEAD_TIME);
    }
  }

  private void makeRoom() {
    long latest = ticker.read() - SCARCE_TIMEOUT.toNanos();
    List<Map.Entry<EndPoint, State>> waiting =
        states.entrySet().stream()
            .filter(entry -> entry.getValue().busy() && entry.getValue().sinceNanos() < latest)
            .filter(entry -> isWriting(entry.getKey()))
            .sorted(Comparator.comparingLong(entry -> entry.getValue().sinceNanos()))
            .toList();
    waiting
        .subList(0, (waiting.size() + PART - 1) / PART)
        .forEach(entry -> close(entry.getKey(), Reason.ANSWER_TIME));
  }

  private void close(EndPoint endPoint, Reason reason) {
    rejections.count(reason);
    states.remove(endPoint);
    endPoint.close(new TimeoutException("slow client"));
  }

  /** Whether a response is still being written. Jetty counts it as sent when it starts. */
  private static boolean isWriting(EndPoint endPoint) {
    return endPoint instanceof AbstractEndPoint sockets && sockets.getWriteFlusher().isPending();
  }

  private static State state(
      Connection connection, boolean writing, @Nullable State before, long now) {
    long responses = connection.getMessagesOut();
    boolean busy = writing || connection.getMessagesIn() > responses;
    long bytes = connection.getBytesIn();
    if (before == null || before.responses() != responses || (before.busy() && !busy)) {
      // The first check, or the first one after a response: bytes cannot be attributed to one
      // request.
      boolean begun = busy || (responses == 0 && bytes > 0);
      return new State(responses, busy, begun ? 0 : bytes, begun ? now : 0);
    }
    boolean idle = !busy && bytes == before.bytes();
    if (idle) {
      return new State(responses, false, bytes, 0);
    }
    boolean same = before.sinceNanos() != 0 && before.busy() == busy;
    return new State(responses, busy, before.bytes(), same ? before.sinceNanos() : now);
  }
}
