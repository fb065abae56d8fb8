package dev.lastmile.operations;

import dev.lastmile.coordination.Acks;
import dev.lastmile.coordination.Acks.Ack;
import dev.lastmile.coordination.Acks.Publication;
import dev.lastmile.coordination.Acks.Receipt;
import dev.lastmile.coordination.Acks.Result;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Takes acks in batches: all of a batch or none. Sending one again is harmless. */
@RestController
class AckController {
  private static final Set<String> VIAS = Set.of("live", "replay", "poll");
  private static final long MAX_VERSION = (1L << 53) - 1;

  private final Acks store;
  private final OperationsProperties properties;
  private final HopRecorder hops;
  private final Counter byReplay;
  private final Counter byPoll;

  AckController(
      Acks store, OperationsProperties properties, HopRecorder hops, MeterRegistry meters) {
    this.store = store;
    this.properties = properties;
    this.hops = hops;
    this.byReplay = recovered(meters, "replay");
    this.byPoll = recovered(meters, "poll");
  }

  private static Counter recovered(MeterRegistry meters, String by) {
    return Metric.RECOVERED.counter(meters, by);
  }

  record Batch(@Nullable List<@Nullable Item> acks) {}

  record Item(@Nullable String operationId, @Nullable BigDecimal version, @Nullable String via) {}

  @Operation(
      operationId = "ack",
      summary = "Says what the browser has applied; all of a batch is taken, or nothing",
      tags = "operations",
      security = @SecurityRequirement(name = "identity"),
      requestBody =
          @io.swagger.v3.oas.annotations.parameters.RequestBody(
              ref = "#/components/requestBodies/Acks"))
  @ApiResponse(responseCode = "204", ref = "Acked")
  @ApiResponse(responseCode = "400", ref = "Invalid")
  @ApiResponse(responseCode = "401", ref = "Unauthorized")
  @ApiResponse(responseCode = "403", ref = "CrossSite")
  @ApiResponse(responseCode = "404", ref = "NotFound")
  @ApiResponse(responseCode = "429", ref = "TooOften")
  @ApiResponse(responseCode = "503", ref = "Unavailable")
  @Limited(Limit.ACKS)
  @PostMapping(path = "/api/acks", consumes = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void acks(
      @Parameter(hidden = true) Channel channel,
      @Parameter(hidden = true) @RequestBody Batch batch) {
    List<Ack> acks = valid(batch);
    if (acks.isEmpty()) {
      return;
    }
    switch (store.take(channel, acks)) {
      case Result.Unknown(int index) ->
          throw new OperationProblem(
              HttpStatus.NOT_FOUND,
              "acks[" + index + "].operationId",
              "no operation " + acks.get(index).operationId());
      case Result.Ahead(int index) ->
          throw new InvalidValueException(
              "acks[" + index + "].version", "at most the version that is stored");
      case Result.Taken(long atMicros, List<Receipt> receipts) -> {
        for (int i = 0; i < acks.size(); i++) {
          record(acks.get(i), receipts.get(i), atMicros);
        }
      }
    }
  }

  private void record(Ack ack, Receipt receipt, long atMicros) {
    recovered(ack.via(), receipt.covered());
    String outcome = receipt.covered() == 0 ? "duplicate" : ack.via();
    for (Publication publication : receipt.publications()) {
      Subject subject =
          new Subject(ack.operationId(), receipt.correlationId(), publication.version());
      hops.record(
          Hop.CLIENT_ACKED,
          outcome,
          subject,
          publication.trace(),
          publication.atMicros(),
          atMicros);
    }
    // Versions that the timeline does not keep any more are counted all the same.
    Subject subject = Subject.of(ack.operationId(), receipt.correlationId());
    for (long i = receipt.publications().size(); i < Math.max(1, receipt.covered()); i++) {
      hops.record(Hop.CLIENT_ACKED, outcome, subject);
    }
    if (receipt.createdAtMillis() > 0) {
      List<Publication> applied = receipt.publications();
      hops.finished(
          atMicros - receipt.createdAtMillis() * 1_000,
          applied.isEmpty() ? null : applied.getLast().trace());
    }
  }

  private void recovered(String via, long versions) {
    if (via.equals("replay")) {
      byReplay.increment((double) versions);
    } else if (via.equals("poll")) {
      byPoll.increment((double) versions);
    }
  }

  private List<Ack> valid(Batch batch) {
    List<@Nullable Item> items = batch.acks();
    if (items == null) {
      throw new InvalidValueException("acks", "a list of acks");
    }
    if (items.size() > properties.acksPerRequest()) {
      throw new InvalidValueException("acks", "at most " + properties.acksPerRequest() + " acks");
    }
    List<Ack> acks = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) {
      acks.add(valid("acks[" + i + "]", items.get(i)));
    }
    return acks;
  }

  /** In JSON 2.0 is a whole number too; 0 for what is none. */
  private static long whole(@Nullable BigDecimal number) {
    try {
      return number == null ? 0 : number.longValueExact();
    } catch (ArithmeticException e) {
      return 0;
    }
  }

  private static Ack valid(String field, @Nullable Item item) {
    if (item == null) {
      throw new InvalidValueException(field, "an object");
    }
    String id = item.operationId();
    long version = whole(item.version());
    String via = item.via();
    if (version < 1 || version > MAX_VERSION) {
      throw new InvalidValueException(field + ".version", "a whole number from 1");
    }
    if (via == null || !VIAS.contains(via)) {
      throw new InvalidValueException(field + ".via", "live, replay or poll");
    }
    OperationId operation =
        OperationId.parse(id == null ? "" : id)
            .orElseThrow(() ->
                new OperationProblem(
                    HttpStatus.NOT_FOUND, field + ".operationId", "no such operation"));
    return new Ack(operation, version, via);
  }
}
