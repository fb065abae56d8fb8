package dev.lastmile.operations;

import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.Snapshot;
import dev.lastmile.coordination.Timelines;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import java.time.Instant;
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

  record Timeline(String operationId, String correlationId, List<Passage> hops) {}

  record Passage(long version, String hop, Instant at, String replica, String outcome) {}

  @GetMapping(path = "/api/operations/{id}/timeline", produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Timeline> timeline(Channel channel, @PathVariable("id") String id) {
    Snapshot snapshot =
        OperationId.parse(id)
            .flatMap(operation -> store.get(channel, operation))
            .orElseThrow(() -> OperationProblem.notFound(id));
    OperationId operation = snapshot.update().operationId();
    List<Passage> passages =
        timelines.read(operation).stream()
            .map(p -> new Passage(p.version(), p.hop(), p.at(), p.replica(), p.outcome()))
            .toList();
    return ResponseEntity.ok()
        .cacheControl(CacheControl.noStore())
        .body(new Timeline(operation.value(), snapshot.update().correlationId().value(), passages));
  }
}
