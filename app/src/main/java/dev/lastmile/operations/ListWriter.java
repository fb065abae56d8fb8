package dev.lastmile.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.http.PagedAnswers.PagedAnswer;
import dev.lastmile.http.RequestProblem;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.RetentionProperties;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.ClientCursor;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Delta.ResetReason;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Update;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;

/**
 * Writes one list of operations, page by page; at most two pages are in memory.
 *
 * <p>The cursor of a list is the head at its first page. An operation that changes while the list
 * is written may be listed with the version before; its newer version comes after the cursor. So
 * nothing is missing for a client that continues from the cursor. Within one answer each operation
 * is listed once.
 *
 * <p>A failure before the first byte is answered with a problem detail. A failure after it closes
 * the connection. One thread, which waits for the client.
 */
final class ListWriter {
  /** Memory of an update around its state, and of the id of a listed operation; bytes. */
  static final int BYTES_PER_UPDATE = 400;

  private static final int BYTES_PER_ID = 150;

  private static final byte[] BETWEEN = {','};

  private final OperationStore store;
  private final int maxPages;
  private final Channel channel;
  private final ListRequest request;
  private final PagedAnswer answer;
  private final HttpServletResponse response;
  private final Set<OperationId> listed = new HashSet<>();

  /**
   * @param maxPages far above the number of pages of a channel. A list that reaches it is behind
   *     constant changes and fails
   */
  ListWriter(
      OperationStore store,
      int maxPages,
      Channel channel,
      ListRequest request,
      PagedAnswer answer,
      HttpServletResponse response) {
    this.store = store;
    this.maxPages = maxPages;
    this.channel = channel;
    this.request = request;
    this.answer = answer;
    this.response = response;
  }

  /** Memory of a list, unless an operation is larger than a page; bytes. */
  static long memory(RetentionProperties retention) {
    // A page exists twice while it is read.
    long read = 2L * retention.pageBytes();
    long written =
        retention.pageBytes()
            + (long) BYTES_PER_UPDATE * retention.pageOperations()
            + (long) BYTES_PER_ID * retention.operationsPerChannel();
    return Math.max(read, written);
  }

  /**
   * Writes the list.
   *
   * @return why the list replaces the state of the client; null if it does not
   * @throws RedisUnavailableException before the first byte
   * @throws RequestProblem before the first byte, if an operation needs more memory than is left
   * @throws dev.lastmile.http.AnswerCutException after the first byte
   * @throws IOException if the client is gone
   */
  @Nullable ResetReason write() throws IOException {
    Delta first = read(request.from(), request.continues());
    ResetReason reset = resetReason(first);
    if (reset != null && first.after() > 0) {
      first = read(null, false);
    }
    response.setContentType(MediaType.APPLICATION_JSON_VALUE);
    response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
    OutputStream out = response.getOutputStream();
    try {
      write(first, reset != null, out);
    } catch (RedisUnavailableException | RequestProblem e) {
      if (response.isCommitted()) {
        throw answer.cut(e);
      }
      response.reset();
      throw e;
    }
    return reset;
  }

  private @Nullable ResetReason resetReason(Delta page) {
    Cursor from = request.from();
    if (from != null && request.continues()) {
      // The list has one cursor, so all of its pages are read in one term.
      Cursor within = from.within();
      return page.continuesPage(within) ? null : page.resetReason(within);
    }
    Cursor shown = request.shown();
    if (shown != null && !page.continuesPage(shown)) {
      return page.resetReason(shown);
    }
    return from == null || page.continues(from) ? null : page.resetReason(from);
  }

  private Delta read(@Nullable Cursor from, boolean continues) {
    Delta page =
        store.read(channel, from, continues, request.paged() ? request.limit() : Integer.MAX_VALUE);
    long bytes = (long) BYTES_PER_ID * listed.size();
    for (Update update : page.updates()) {
      bytes += BYTES_PER_UPDATE + update.state().length;
    }
    answer.holds(bytes, page.complete() || request.paged());
    return page;
  }

  private void write(Delta first, boolean reset, OutputStream out) throws IOException {
    long head = request.continues() && !reset ? request.head() : first.head();
    String next = "";
    if (request.paged() && !first.complete()) {
      Cursor reached = first.headCursor().at(first.reach());
      next = ",\"next\":\"" + ListRequest.next(channel, reached, head) + '"';
    }
    String cursor = ClientCursor.text(first.headCursor().at(head), channel);
    out.write(
        ("{\"cursor\":\"" + cursor + "\",\"reset\":" + reset + next + ",\"operations\":[")
            .getBytes(UTF_8));
    Delta page = first;
    writeOperations(page, out);
    for (int pages = 1; !page.complete() && !request.paged(); pages++) {
      page = readAfter(page, pages);
      writeOperations(page, out);
    }
    out.write("]}".getBytes(UTF_8));
  }

  private Delta readAfter(Delta page, int pages) {
    if (pages == maxPages) {
      throw new RedisUnavailableException("the channel changes faster than it can be read");
    }
    Cursor reached = page.headCursor().at(page.reach());
    Delta following = read(reached, true);
    if (!following.continuesPage(reached.within())) {
      throw new RedisUnavailableException("Redis failed over while a list was written");
    }
    return following;
  }

  private void writeOperations(Delta page, OutputStream out) throws IOException {
    for (Update update : page.updates()) {
      boolean comma = !listed.isEmpty();
      if (listed.add(update.operationId())) {
        if (comma) {
          out.write(BETWEEN);
        }
        out.write(update.state());
        out.write(update.operationEnd());
      }
    }
  }
}
