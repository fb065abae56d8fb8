package dev.lastmile.operations;

import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.store.Snapshot;
import dev.lastmile.store.Timelines;
import dev.lastmile.telemetry.Hop.Passed;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/**
 * Returns the timeline of an operation: hop, time, replica and outcome for each of its versions.
 */
@RestController
class TimelineController {
  private final OperationReader reader;
  private final Timelines timelines;

  TimelineController(OperationReader reader, Timelines timelines) {
    this.reader = reader;
    this.timelines = timelines;
  }

  record Timeline(String operationId, String correlationId, List<Passed> hops) {}

  @Limited(Limit.READS)
  @GetMapping(path = "/api/operations/{id}/timeline", produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Timeline> timeline(
      Channel channel, @PathVariable("id") String id, HttpServletRequest request) {
    Snapshot snapshot =
        OperationId.parse(id)
            .flatMap(operation -> reader.read(channel, operation, request))
            .orElseThrow(() -> OperationProblem.notFound(id));
    OperationId operation = snapshot.update().operationId();
    return ResponseEntity.ok()
        .cacheControl(CacheControl.noStore())
        .body(
            new Timeline(
                operation.value(),
                snapshot.update().correlationId().value(),
                timelines.read(operation)));
  }
}
