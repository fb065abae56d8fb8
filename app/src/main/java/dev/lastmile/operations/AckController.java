package dev.lastmile.operations;

import dev.lastmile.coordination.Acks;
import dev.lastmile.coordination.Acks.Ack;
import dev.lastmile.coordination.Acks.Receipt;
import dev.lastmile.coordination.Acks.Result;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
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
    return Counter.builder("delivery.recovered")
        .description("Updates that a client learnt first by other means than the live stream")
        .tag("by", by)
        .register(meters);
  }

  record Batch(@Nullable List<@Nullable Item> acks) {}

  record Item(@Nullable String operationId, @Nullable Long version, @Nullable String via) {}

  @PostMapping(path = "/api/acks", consumes = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void acks(Channel channel, @RequestBody Batch batch) {
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
      case Result.Taken(List<Receipt> receipts) -> {
        for (int i = 0; i < acks.size(); i++) {
          Ack ack = acks.get(i);
          Receipt receipt = receipts.get(i);
          recovered(ack.via(), receipt.covered());
          hops.record(
              Hop.CLIENT_ACKED,
              receipt.covered() == 0 ? "duplicate" : ack.via(),
              Math.max(1, receipt.covered()),
              ack.operationId(),
              receipt.correlationId());
        }
      }
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

  private static Ack valid(String field, @Nullable Item item) {
    if (item == null) {
      throw new InvalidValueException(field, "an object");
    }
    String id = item.operationId();
    Long version = item.version();
    String via = item.via();
    if (version == null || version < 1 || version > MAX_VERSION) {
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
