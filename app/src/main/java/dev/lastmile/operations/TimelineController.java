package dev.lastmile.operations;

import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.Snapshot;
import dev.lastmile.coordination.Timelines;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.telemetry.Hop.Passed;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import java.util.List;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Shows which hops the versions of an operation have passed, when, where, and how that ended. */
@RestController
class TimelineController {
  private final OperationStore store;
  private final Timelines timelines;

  TimelineController(OperationStore store, Timelines timelines) {
    this.store = store;
    this.timelines = timelines;
  }

  record Timeline(String operationId, String correlationId, List<Passed> hops) {}

  @Operation(
      operationId = "timeline",
      summary = "Which hops an operation has passed: when, where, how",
      tags = "operations",
      security = @SecurityRequirement(name = "identity"))
  @ApiResponse(responseCode = "200", ref = "Timeline")
  @ApiResponse(responseCode = "401", ref = "Unauthorized")
  @ApiResponse(responseCode = "404", ref = "NotFound")
  @ApiResponse(responseCode = "429", ref = "TooOften")
  @ApiResponse(responseCode = "503", ref = "Unavailable")
  @Limited(Limit.READS)
  @GetMapping(path = "/api/operations/{id}/timeline", produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Timeline> timeline(
      @Parameter(hidden = true) Channel channel,
      @Parameter(ref = "#/components/parameters/OperationId") @PathVariable("id") String id) {
    Snapshot snapshot =
        OperationId.parse(id)
            .flatMap(operation -> store.get(channel, operation))
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
