package dev.lastmile.operations;

import dev.lastmile.http.PagedAnswers;
import dev.lastmile.http.PagedAnswers.PagedAnswer;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.RetentionProperties;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Delta.ResetReason;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Lists the changes after a cursor, so a client can reconcile without a stream. */
@RestController
class OperationListController {
  private final OperationStore store;
  private final RetentionProperties retention;
  private final PagedAnswers answers;
  private final Metric.Counters<ResetReason> resets;

  OperationListController(
      OperationStore store,
      RetentionProperties retention,
      PagedAnswers answers,
      MeterRegistry meters) {
    this.store = store;
    this.retention = retention;
    this.answers = answers;
    this.resets = Metric.LIST_RESETS.counters(meters, EnumSet.allOf(ResetReason.class));
  }

  /** Writes the list as {@link ListWriter} describes, within the memory of all lists. */
  @Limited(Limit.READS)
  @GetMapping("/api/operations")
  void list(
      Channel channel,
      @RequestParam(name = "after", required = false) @Nullable String after,
      @RequestParam(name = "shown", required = false) @Nullable String shown,
      @RequestParam(name = "limit", required = false) @Nullable String limit,
      @RequestParam(name = "next", required = false) @Nullable String next,
      HttpServletRequest http,
      HttpServletResponse response)
      throws IOException {
    int maxPages = 2 * retention.operationsPerChannel() + 10;
    ListRequest request = ListRequest.parse(channel, after, shown, next, limit);
    try (PagedAnswer answer =
        answers.begin(channel.value(), http.getRemoteAddr(), ListWriter.memory(retention))) {
      ResetReason reset =
          new ListWriter(store, maxPages, channel, request, answer, response).write();
      if (reset != null) {
        resets.increment(reset);
      }
    }
  }
}
