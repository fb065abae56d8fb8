package dev.lastmile.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.store.OperationStore;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Update;
import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Lists the changes after a cursor, so a client can reconcile without a stream. */
@RestController
class OperationListController {
  /**
   * Far above the number of pages of a channel. A list that reaches it is behind constant changes
   * and fails.
   */
  private static final int MAX_PAGES = 1_000;

  private final OperationStore store;

  OperationListController(OperationStore store) {
    this.store = store;
  }

  /**
   * Reads pages until none is left.
   *
   * <p>An operation that changes between two pages moves to a later page. So each operation is
   * listed once, with its newest version. The head of the last page is a cursor without a gap
   * before it.
   */
  @Limited(Limit.READS)
  @GetMapping(path = "/api/operations", produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<byte[]> list(
      Channel channel, @RequestParam(name = "after", required = false) @Nullable String after) {
    Cursor cursor = after == null || after.isEmpty() ? null : Cursor.parse("after", after);
    Delta page = store.read(channel, cursor, false);
    boolean reset = cursor != null && !page.continues(cursor);
    Map<OperationId, Update> newest = new LinkedHashMap<>();
    for (int pages = 1; ; pages++) {
      for (Update update : page.updates()) {
        newest.remove(update.operationId());
        newest.put(update.operationId(), update);
      }
      if (page.complete()) {
        break;
      }
      if (pages == MAX_PAGES) {
        throw new RedisUnavailableException("the channel changes faster than it can be read");
      }
      Cursor reached = new Cursor(page.epoch(), page.reach());
      page = store.read(channel, reached, true);
      if (!page.continuesPage(reached)) {
        // Another epoch: earlier pages are void, and this page is the first of a full read.
        newest.clear();
        reset = true;
      }
    }
    return ResponseEntity.ok()
        .cacheControl(CacheControl.noStore())
        .body(encode(page.headCursor(), reset, newest));
  }

  private static byte[] encode(Cursor cursor, boolean reset, Map<OperationId, Update> updates) {
    ByteArrayOutputStream json = new ByteArrayOutputStream(256 + updates.size() * 512);
    json.writeBytes(
        ("{\"cursor\":\"" + cursor + "\",\"reset\":" + reset + ",\"operations\":[")
            .getBytes(UTF_8));
    boolean first = true;
    for (Update update : updates.values()) {
      if (!first) {
        json.write(',');
      }
      first = false;
      json.writeBytes(update.operationJson());
    }
    json.writeBytes("]}".getBytes(UTF_8));
    return json.toByteArray();
  }
}
