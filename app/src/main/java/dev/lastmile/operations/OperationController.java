package dev.lastmile.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.coordination.Creation;
import dev.lastmile.coordination.Draft;
import dev.lastmile.coordination.Idempotency;
import dev.lastmile.coordination.NewState;
import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.coordination.Snapshot;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.OperationStatus;
import dev.lastmile.updates.Update;
import java.net.URI;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.request.ServletWebRequest;

/** Creates operations and answers with one. Blocks its (virtual) thread while Redis works. */
@RestController
@RequestMapping(path = "/api/operations", produces = MediaType.APPLICATION_JSON_VALUE)
class OperationController {
  private static final Pattern IDEMPOTENCY_KEY = Pattern.compile("[\\x21-\\x7e]{1,128}");

  private final OperationStore store;
  private final RedisTime time;
  private final OperationsProperties properties;
  private final HopRecorder hops;

  OperationController(
      OperationStore store, RedisTime time, OperationsProperties properties, HopRecorder hops) {
    this.store = store;
    this.time = time;
    this.properties = properties;
    this.hops = hops;
  }

  @PostMapping(consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<byte[]> create(
      Channel channel,
      @RequestBody CreationRequest request,
      @RequestHeader(name = "Idempotency-Key", required = false) @Nullable String key,
      @RequestHeader(name = "X-Correlation-Id", required = false) @Nullable String correlation,
      @RequestHeader(name = "traceparent", required = false) @Nullable String traceparent,
      @RequestHeader(name = "tracestate", required = false) @Nullable String tracestate) {
    String kind;
    String input;
    Idempotency idempotency;
    CorrelationId correlationId;
    try {
      kind = request.validKind(properties);
      input = request.validInput();
      idempotency = key == null ? null : idempotency(key, kind, input);
      correlationId = correlation == null ? CorrelationId.random() : new CorrelationId(correlation);
    } catch (InvalidValueException e) {
      hops.record(Hop.INITIATED, "rejected", null, null);
      throw e;
    }
    OperationId id = OperationId.random(channel);
    Draft draft =
        new Draft(
            id,
            channel,
            kind,
            correlationId,
            TraceContext.of(traceparent, tracestate),
            new NewState(OperationStatus.PENDING, 0, null, null, time.micros()),
            input);
    return switch (store.create(draft, idempotency, properties.submitLease().toMillis())) {
      case Creation.Created(Update update) -> {
        hops.record(Hop.INITIATED, "created", id, correlationId);
        yield created(Snapshot.of(update));
      }
      case Creation.Repeated(OperationId earlier) -> {
        Snapshot snapshot =
            store
                .get(channel, earlier)
                .orElseThrow(() -> OperationProblem.notFound(earlier.value()));
        hops.record(Hop.INITIATED, "repeated", earlier, snapshot.update().correlationId());
        yield created(snapshot);
      }
      case Creation.Gone _ ->
          throw refused(HttpStatus.GONE, "the operation created with this key has been deleted");
      case Creation.Conflict _ ->
          throw refused(
              HttpStatus.UNPROCESSABLE_CONTENT, "this key was used for another request before");
      case Creation.Full(int limit) -> {
        hops.record(Hop.INITIATED, "rejected", null, correlationId);
        throw new TooManyOperationsException(limit);
      }
    };
  }

  private OperationProblem refused(HttpStatus status, String detail) {
    hops.record(Hop.INITIATED, "rejected", null, null);
    return new OperationProblem(status, "Idempotency-Key", detail);
  }

  /** 201 also for a repetition: the client sees what it would have seen the first time. */
  private static ResponseEntity<byte[]> created(Snapshot snapshot) {
    Update update = snapshot.update();
    return ResponseEntity.created(URI.create("/api/operations/" + update.operationId()))
        .eTag(snapshot.etag())
        .header("X-Correlation-Id", update.correlationId().value())
        .body(update.operationJson());
  }

  @GetMapping("/{id}")
  ResponseEntity<byte[]> get(
      Channel channel, @PathVariable("id") String id, ServletWebRequest request) {
    Snapshot snapshot =
        OperationId.parse(id)
            .flatMap(operation -> store.get(channel, operation))
            .orElseThrow(() -> OperationProblem.notFound(id));
    boolean known = request.checkNotModified(snapshot.etag());
    boolean any = "*".equals(request.getHeader(HttpHeaders.IF_NONE_MATCH));
    return ResponseEntity.status(known || any ? HttpStatus.NOT_MODIFIED : HttpStatus.OK)
        .eTag(snapshot.etag())
        .cacheControl(CacheControl.maxAge(Duration.ZERO).mustRevalidate().cachePrivate())
        .header("X-Correlation-Id", snapshot.update().correlationId().value())
        .header(HttpHeaders.VARY, HttpHeaders.COOKIE)
        .body(known || any ? null : snapshot.update().operationJson());
  }

  private static Idempotency idempotency(String key, String kind, String input) {
    if (!IDEMPOTENCY_KEY.matcher(key).matches()) {
      throw new InvalidValueException(
          "Idempotency-Key", "1 to 128 visible ASCII characters without spaces");
    }
    return new Idempotency(digest(key), digest(kind + "\n" + input));
  }

  private static String digest(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
