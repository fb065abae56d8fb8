package dev.lastmile.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Update;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
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

/** Answers what changed after a cursor: how a client reconciles without a stream. */
@RestController
class OperationListController {
  /** Far more than a channel has; a list that needs them chases changes and is given up. */
  private static final int MOST_PAGES = 1_000;

  private final OperationStore store;

  OperationListController(OperationStore store) {
    this.store = store;
  }

  /**
   * Reads page by page until nothing is left. An operation that changes between two pages moves to
   * a later one, so each is listed once, with its newest version, and the last page's head is a
   * cursor from which nothing is missing.
   */
  @Operation(
      operationId = "list",
      summary = "What changed after a cursor",
      tags = "operations",
      security = @SecurityRequirement(name = "identity"))
  @ApiResponse(responseCode = "200", ref = "OperationList")
  @ApiResponse(responseCode = "400", ref = "Invalid")
  @ApiResponse(responseCode = "401", ref = "Unauthorized")
  @ApiResponse(responseCode = "429", ref = "TooOften")
  @ApiResponse(responseCode = "503", ref = "Unavailable")
  @Limited(Limit.READS)
  @GetMapping(path = "/api/operations", produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<byte[]> list(
      @Parameter(hidden = true) Channel channel,
      @Parameter(ref = "#/components/parameters/After")
          @RequestParam(name = "after", required = false)
          @Nullable String after) {
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
      if (pages == MOST_PAGES) {
        throw new RedisAwayException("the channel changes faster than it can be read");
      }
      Cursor reached = new Cursor(page.epoch(), page.reach());
      page = store.read(channel, reached, true);
      if (!page.continuesPage(reached)) {
        // Another epoch: what was read is void, and this page is the first of everything.
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
        "{\"cursor\":\"%s\",\"reset\":%s,\"operations\":["
            .formatted(cursor, reset)
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
