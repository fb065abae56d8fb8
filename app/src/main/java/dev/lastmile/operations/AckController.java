package dev.lastmile.operations;

import dev.lastmile.http.RequestProblem;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.store.Acks;
import dev.lastmile.store.Acks.Ack;
import dev.lastmile.store.Acks.Publication;
import dev.lastmile.store.Acks.Receipt;
import dev.lastmile.store.Acks.Result;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Metric;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
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

/**
 * Accepts acks in batches: the whole batch or nothing. Sending a batch again has no further effect.
 */
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

  @Limited(Limit.ACKS)
  @PostMapping(path = "/api/acks", consumes = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void acks(Channel channel, @RequestBody Batch batch) {
    List<Ack> acks = valid(batch);
    if (acks.isEmpty()) {
      return;
    }
    switch (store.take(channel, acks)) {
      case Result.Unknown(int index) ->
          throw new RequestProblem(
              HttpStatus.NOT_FOUND,
              "no operation " + acks.get(index).operationId(),
              "acks[" + index + "].operationId");
      case Result.Ahead(int index) ->
          // A failover of Redis may have lost the version, so this is no fault of the request.
          throw new RequestProblem(
              HttpStatus.CONFLICT,
              "acks[" + index + "].version must be at most the stored version",
              "acks[" + index + "].version",
              "at most the stored version");
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
    // Versions that the timeline no longer contains are counted as well.
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

  /** The number as an integer, 2.0 included; 0 if it is not an integer. */
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
                new RequestProblem(
                    HttpStatus.NOT_FOUND, "no such operation", field + ".operationId"));
    return new Ack(operation, version, via);
  }
}
