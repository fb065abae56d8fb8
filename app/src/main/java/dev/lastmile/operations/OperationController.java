package dev.lastmile.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.http.RequestProblem;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
import dev.lastmile.redis.RedisTime;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.store.Creation;
import dev.lastmile.store.NewOperation;
import dev.lastmile.store.NewOperation.Idempotency;
import dev.lastmile.store.OperationStore;
import dev.lastmile.store.Snapshot;
import dev.lastmile.store.StateChange;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.HopRecorder.OpenHop;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.OperationStatus;
import dev.lastmile.updates.Update;
import jakarta.servlet.http.HttpServletRequest;
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

/** Creates and reads operations. Blocks its virtual thread until Redis replies. */
@RestController
@RequestMapping(path = "/api/operations", produces = MediaType.APPLICATION_JSON_VALUE)
class OperationController {
  private static final Pattern IDEMPOTENCY_KEY = Pattern.compile("[\\x21-\\x7e]{1,128}");

  private final OperationStore store;
  private final OperationReader reader;
  private final RedisTime time;
  private final OperationsProperties properties;
  private final HopRecorder hops;

  OperationController(
      OperationStore store,
      OperationReader reader,
      RedisTime time,
      OperationsProperties properties,
      HopRecorder hops) {
    this.store = store;
    this.reader = reader;
    this.time = time;
    this.properties = properties;
    this.hops = hops;
  }

  @Limited(Limit.CREATIONS)
  @PostMapping(consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<byte[]> create(
      Channel channel,
      @RequestBody CreationRequest request,
      @RequestHeader(name = "Idempotency-Key", required = false) @Nullable String key,
      @RequestHeader(name = "X-Correlation-Id", required = false) @Nullable String correlation,
      @RequestHeader(name = "traceparent", required = false) @Nullable String traceparent,
      @RequestHeader(name = "tracestate", required = false) @Nullable String tracestate,
      HttpServletRequest http) {
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
      hops.record(Hop.INITIATED, "rejected", Subject.UNKNOWN);
      throw e;
    }
    OperationId id = OperationId.random(channel);
    try (OpenHop initiated =
        hops.begin(Hop.INITIATED, TraceContext.current(traceparent, tracestate))) {
      NewOperation operation =
          new NewOperation(
              id,
              channel,
              kind,
              correlationId,
              initiated.context(),
              new StateChange(
                  OperationStatus.PENDING, 0, null, null, time.micros(channel.partition())),
              input,
              properties.deadlineOf(kind));
      return create(operation, idempotency, initiated, http);
    }
  }

  private ResponseEntity<byte[]> create(
      NewOperation operation,
      @Nullable Idempotency idempotency,
      OpenHop initiated,
      HttpServletRequest http) {
    Subject subject = Subject.of(operation.id(), operation.correlationId());
    Creation creation;
    try {
      creation = store.create(operation, idempotency, properties.submitLease().toMillis());
    } catch (RedisUnavailableException e) {
      initiated.end("unavailable", subject);
      throw e;
    }
    return switch (creation) {
      case Creation.Created(Update update) -> {
        initiated.end("created", subject);
        yield created(new Snapshot(update));
      }
      case Creation.Repeated(OperationId earlier) -> {
        Snapshot snapshot;
        try {
          snapshot =
              reader
                  .read(operation.channel(), earlier, http)
                  .orElseThrow(() -> OperationProblem.notFound(earlier.value()));
        } catch (RedisUnavailableException e) {
          initiated.end("unavailable", subject);
          throw e;
        } catch (RequestProblem e) {
          initiated.end("rejected", subject);
          throw e;
        }
        initiated.end("repeated", Subject.of(earlier, snapshot.update().correlationId()));
        yield created(snapshot);
      }
      case Creation.Gone _ -> {
        initiated.end("rejected", subject);
        throw keyProblem(HttpStatus.GONE, "the operation created with this key has been deleted");
      }
      case Creation.Conflict _ -> {
        initiated.end("rejected", subject);
        throw keyProblem(
            HttpStatus.UNPROCESSABLE_CONTENT, "this key was already used for a different request");
      }
      case Creation.Full(int limit) -> {
        initiated.end("rejected", subject);
        throw new RequestProblem(
                HttpStatus.TOO_MANY_REQUESTS,
                limit + " operations are pending; wait until one ends",
                "lastmile.retention.operations-per-channel",
                limit)
            .retryAfter(5);
      }
    };
  }

  private static RequestProblem keyProblem(HttpStatus status, String detail) {
    return new RequestProblem(status, detail, "Idempotency-Key");
  }

  /**
   * Responds with 201 to a repetition as well, so the client gets the same response as the first
   * time.
   */
  private static ResponseEntity<byte[]> created(Snapshot snapshot) {
    Update update = snapshot.update();
    return ResponseEntity.created(URI.create("/api/operations/" + update.operationId()))
        .eTag(snapshot.etag())
        .header("X-Correlation-Id", update.correlationId().value())
        .body(update.operationJson());
  }

  @Limited(Limit.READS)
  @GetMapping("/{id}")
  ResponseEntity<byte[]> get(
      Channel channel, @PathVariable("id") String id, ServletWebRequest request) {
    Snapshot snapshot =
        OperationId.parse(id)
            .flatMap(operation -> reader.read(channel, operation, request.getRequest()))
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
