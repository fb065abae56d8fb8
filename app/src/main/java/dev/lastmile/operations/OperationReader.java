package dev.lastmile.operations;

import dev.lastmile.http.PagedAnswers;
import dev.lastmile.http.PagedAnswers.PagedAnswer;
import dev.lastmile.http.RequestProblem;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.Snapshot;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.HandlerInterceptor;

/**
 * Reads the operation with which a request is answered, within the memory of all answers.
 *
 * <p>The size is asked for before the operation is read, so that many requests for large operations
 * at one time cannot fill the memory. Spring calls this interceptor after the answer was written.
 *
 * <p>Any thread; blocks until Redis replies.
 */
@Component
final class OperationReader implements HandlerInterceptor {
  private static final String ANSWER = OperationReader.class.getName();

  private final OperationStore store;
  private final PagedAnswers answers;

  OperationReader(OperationStore store, PagedAnswers answers) {
    this.store = store;
    this.answers = answers;
  }

  /**
   * One operation of a channel; empty if the channel has none with this id. Once per request.
   *
   * @throws RequestProblem 429 or 503, if the answers of this client or of all clients hold too
   *     much
   */
  Optional<Snapshot> read(Channel channel, OperationId id, HttpServletRequest request) {
    PagedAnswer answer =
        answers.begin(
            channel.value(), request.getRemoteAddr(), memory(store.stateSize(channel, id)));
    request.setAttribute(ANSWER, answer);
    Optional<Snapshot> found = store.get(channel, id);
    // It may have grown since.
    found.ifPresent(snapshot -> answer.holds(memory(snapshot.update().state().length), true));
    return found;
  }

  /** The reply of Redis, the state, and the answer. */
  private static long memory(long size) {
    return 3 * size + ListWriter.BYTES_PER_UPDATE;
  }

  @Override
  public void afterCompletion(
      HttpServletRequest request,
      HttpServletResponse response,
      Object handler,
      @Nullable Exception failure) {
    if (request.getAttribute(ANSWER) instanceof PagedAnswer answer) {
      answer.close();
    }
  }
}
