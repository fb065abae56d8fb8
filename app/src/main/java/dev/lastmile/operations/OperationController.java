package dev.lastmile.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.coordination.Creation;
import dev.lastmile.coordination.Draft;
import dev.lastmile.coordination.Draft.Idempotency;
import dev.lastmile.coordination.NewState;
import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.RedisAwayException;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.coordination.Snapshot;
import dev.lastmile.identity.RateLimits.Limit;
import dev.lastmile.identity.RateLimits.Limited;
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
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
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

  @Operation(
      operationId = "create",
      summary = "Starts asynchronous work",
      tags = "operations",
      security = @SecurityRequirement(name = "identity"),
      requestBody =
          @io.swagger.v3.oas.annotations.parameters.RequestBody(
              ref = "#/components/requestBodies/Creation"))
  @ApiResponse(responseCode = "201", ref = "Created")
  @ApiResponse(responseCode = "400", ref = "Invalid")
  @ApiResponse(responseCode = "401", ref = "Unauthorized")
  @ApiResponse(responseCode = "403", ref = "CrossSite")
  @ApiResponse(responseCode = "410", ref = "Gone")
  @ApiResponse(responseCode = "422", ref = "KeyConflict")
  @ApiResponse(responseCode = "429", ref = "TooOften")
  @ApiResponse(responseCode = "503", ref = "Unavailable")
  @Limited(Limit.CREATIONS)
  @PostMapping(consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<byte[]> create(
      @Parameter(hidden = true) Channel channel,
      @Parameter(hidden = true) @RequestBody CreationRequest request,
      @Parameter(ref = "#/components/parameters/IdempotencyKey")
          @RequestHeader(name = "Idempotency-Key", required = false)
          @Nullable String key,
      @Parameter(ref = "#/components/parameters/CorrelationId")
          @RequestHeader(name = "X-Correlation-Id", required = false)
          @Nullable String correlation,
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
      hops.record(Hop.INITIATED, "rejected", Subject.UNKNOWN);
      throw e;
    }
    OperationId id = OperationId.random(channel);
    try (OpenHop initiated =
        hops.begin(Hop.INITIATED, TraceContext.current(traceparent, tracestate))) {
      Draft draft =
          new Draft(
              id,
              channel,
              kind,
              correlationId,
              initiated.context(),
              new NewState(OperationStatus.PENDING, 0, null, null, time.micros()),
              input);
      return create(draft, idempotency, initiated);
    }
  }

  private ResponseEntity<byte[]> create(
      Draft draft, @Nullable Idempotency idempotency, OpenHop initiated) {
    Subject subject = Subject.of(draft.id(), draft.correlationId());
    Creation creation;
    try {
      creation = store.create(draft, idempotency, properties.submitLease().toMillis());
    } catch (RedisAwayException e) {
      initiated.end("unavailable", subject);
      throw e;
    }
    return switch (creation) {
      case Creation.Created(Update update) -> {
        initiated.end("created", subject);
        yield created(Snapshot.of(update));
      }
      case Creation.Repeated(OperationId earlier) -> {
        Snapshot snapshot =
            store
                .get(draft.channel(), earlier)
                .orElseThrow(() -> OperationProblem.notFound(earlier.value()));
        initiated.end("repeated", Subject.of(earlier, snapshot.update().correlationId()));
        yield created(snapshot);
      }
      case Creation.Gone _ -> {
        initiated.end("rejected", subject);
        throw refused(HttpStatus.GONE, "the operation created with this key has been deleted");
      }
      case Creation.Conflict _ -> {
        initiated.end("rejected", subject);
        throw refused(
            HttpStatus.UNPROCESSABLE_CONTENT, "this key was used for another request before");
      }
      case Creation.Full(int limit) -> {
        initiated.end("rejected", subject);
        throw new TooManyOperationsException(limit);
      }
    };
  }

  private static OperationProblem refused(HttpStatus status, String detail) {
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

  @Operation(
      operationId = "get",
      summary = "One operation",
      tags = "operations",
      security = @SecurityRequirement(name = "identity"))
  @ApiResponse(responseCode = "200", ref = "Operation")
  @ApiResponse(responseCode = "304", ref = "NotModified")
  @ApiResponse(responseCode = "401", ref = "Unauthorized")
  @ApiResponse(responseCode = "404", ref = "NotFound")
  @ApiResponse(responseCode = "429", ref = "TooOften")
  @ApiResponse(responseCode = "503", ref = "Unavailable")
  @Limited(Limit.READS)
  @GetMapping("/{id}")
  ResponseEntity<byte[]> get(
      @Parameter(hidden = true) Channel channel,
      @Parameter(ref = "#/components/parameters/OperationId") @PathVariable("id") String id,
      ServletWebRequest request) {
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
