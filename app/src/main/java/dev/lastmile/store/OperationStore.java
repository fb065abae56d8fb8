package dev.lastmile.store;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.PubsubChannels;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisProperties;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.store.NewOperation.Idempotency;
import dev.lastmile.store.UpdateCall.Publication;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Subject;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.HopRecorder.OpenHop;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Envelope;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import dev.lastmile.updates.Update;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Reads and changes the state of operations. Every change of an operation is made here.
 *
 * <p>A change is one script: state, sequence, timeline and publication happen together or not at
 * all. After a timeout, {@link RedisUnavailableException} leaves open whether the change is stored.
 * Calling the method again is safe, because of revisions and idempotency keys.
 *
 * <p>Any thread. Methods that return a stage do not wait; all others block for at most {@code
 * lastmile.redis.timeout}.
 */
@Component
public final class OperationStore {
  /** Outcomes of the script that produce an update. */
  private static final Set<String> CHANGED = Set.of("created", "stored");

  private final RedisConnection redis;
  private final RetentionProperties retention;
  private final UpdateCall.Factory calls;
  private final HopRecorder hops;
  private final FanOut fanOut;
  private final OperationMetadataCache metadataCache;
  private final List<Consumer<OperationId>> createdListeners = new CopyOnWriteArrayList<>();

  OperationStore(
      RedisConnection redis,
      RedisProperties redisProperties,
      PubsubChannels channels,
      RetentionProperties retention,
      OverdueProperties overdue,
      Replica replica,
      HopRecorder hops,
      FanOut fanOut) {
    this.redis = redis;
    this.retention = retention;
    this.hops = hops;
    this.calls = new UpdateCall.Factory(channels, replica, retention, overdue.after());
    this.fanOut = fanOut;
    this.metadataCache = new OperationMetadataCache(redis, redisProperties.pointerCache());
  }

  /** Adds a listener for each operation that this replica creates; it must not block. */
  public void onCreated(Consumer<OperationId> listener) {
    createdListeners.add(listener);
  }

  /**
   * Stores a new operation as version 1 and publishes it.
   *
   * @param idempotency digests of the idempotency key and the request, if the caller sent a key
   * @param submitAgainAfterMillis time after which any replica submits the job again
   */
  public Creation create(
      NewOperation operation, @Nullable Idempotency idempotency, long submitAgainAfterMillis) {
    Function<Publication, UpdateCall> call =
        publication -> calls.create(operation, idempotency, submitAgainAfterMillis, publication);
    Subject subject = Subject.of(operation.id(), operation.correlationId());
    ScriptReply reply = redis.await(apply(call, operation.trace(), subject));
    if (reply.text(0).equals("full") && deleteLost(operation.channel(), reply)) {
      reply = redis.await(apply(call, operation.trace(), subject));
    }
    return switch (reply.text(0)) {
      case "created" -> {
        createdListeners.forEach(listener -> listener.accept(operation.id()));
        yield new Creation.Created(Envelope.decode(reply.bytes(3)));
      }
      case "repeated" -> new Creation.Repeated(new OperationId(reply.text(1)));
      case "gone" -> new Creation.Gone();
      case "conflict" -> new Creation.Conflict();
      case "full" -> new Creation.Full(retention.operationsPerChannel());
      default -> throw new IllegalStateException("the script answered " + reply.text(0));
    };
  }

  /**
   * Deletes operations of a full channel whose pointer was deleted: reports reach them only at a
   * replica that still has the pointer in its cache.
   *
   * @param full the reply that names operations of the channel
   * @return whether there were any
   */
  private boolean deleteLost(Channel channel, ScriptReply full) {
    List<String> keys = new ArrayList<>(Keys.state(channel));
    keys.add(Keys.expiry(channel.partition()));
    ScriptArguments arguments = new ScriptArguments().add(channel.value());
    for (int i = 1; i < full.size(); i++) {
      OperationId id = new OperationId(full.text(i));
      keys.add(Keys.operationMetadata(id));
      keys.add(Keys.timeline(id));
      arguments.add(id.value());
    }
    return new ScriptReply(redis.run(Script.DELETE_LOST, keys, arguments)).number(0) > 0;
  }

  /**
   * Stores a change that the external system reported, unless its revision is not new or the
   * operation is final. Does not wait. Completes on the event loop of Redis, where callbacks must
   * not block; failures are {@link RedisUnavailableException}.
   *
   * @param revision revision of the external system
   * @param cause trace context of the hop that received the report
   */
  public CompletionStage<ChangeResult> change(
      OperationId id,
      OperationMetadata metadata,
      StateChange state,
      long revision,
      TraceContext cause) {
    return apply(id, metadata, state, Long.toString(revision), false, "stored", cause)
        .thenApply(OperationStore::changeOf);
  }

  /**
   * Stores a change that a poll returned, as {@link #change}, and waits for the result. The answer
   * to a poll is the present state of the job. So a final one is stored whatever its revision is.
   */
  public ChangeResult changeByPoll(
      OperationId id,
      OperationMetadata metadata,
      StateChange state,
      long revision,
      TraceContext cause) {
    return changeOf(
        redis.await(apply(id, metadata, state, Long.toString(revision), true, "polled", cause)));
  }

  /**
   * Fails an operation whose job was not accepted, unless the external system has reported, and
   * waits for the result. A first final report replaces this state, once.
   */
  public ChangeResult failNotAccepted(
      OperationId id, OperationMetadata metadata, StateChange state, TraceContext cause) {
    return changeOf(redis.await(apply(id, metadata, state, "", false, "external_failed", cause)));
  }

  /**
   * Fails an operation that has no outcome at its deadline, and waits for the result. A first final
   * report replaces this state, once.
   */
  public ChangeResult failAtDeadline(
      OperationId id, OperationMetadata metadata, StateChange state, TraceContext cause) {
    return changeOf(redis.await(apply(id, metadata, state, "", true, "deadline", cause)));
  }

  private CompletionStage<ScriptReply> apply(
      OperationId id,
      OperationMetadata metadata,
      StateChange state,
      String revision,
      boolean overrides,
      String outcome,
      TraceContext cause) {
    return apply(
        publication -> calls.change(id, metadata, state, revision, overrides, outcome, publication),
        cause,
        Subject.of(id, metadata.correlationId()));
  }

  private static ChangeResult changeOf(ScriptReply reply) {
    return switch (reply.text(0)) {
      case "stored" -> ChangeResult.STORED;
      case "duplicate" -> ChangeResult.DUPLICATE;
      case "stale" -> ChangeResult.STALE;
      case "final" -> ChangeResult.FINAL;
      case "unknown" -> ChangeResult.UNKNOWN;
      default -> throw new IllegalStateException("the script answered " + reply.text(0));
    };
  }

  /** The immutable part of an operation; empty if the operation does not exist. */
  public Optional<OperationMetadata> metadata(OperationId id) {
    return metadataCache.get(id);
  }

  /** As {@link #metadata}, without waiting; completes as {@link #change}, or is complete. */
  public CompletionStage<Optional<OperationMetadata>> findMetadata(OperationId id) {
    return metadataCache.find(id);
  }

  /** The immutable part with the job; empty after the external system has accepted the job. */
  public Optional<OperationMetadata> metadataWithJob(OperationId id) {
    return metadataCache.withJob(id);
  }

  /** The size of an operation's state in Redis, bytes; 0 if the channel has none with this id. */
  public long stateSize(Channel channel, OperationId id) {
    return id.partition().equals(channel.partition())
        ? redis.call(
            channel.partition(),
            commands -> commands.hstrlen(Keys.operations(channel), id.value() + ":e"))
        : 0;
  }

  /** One operation of a channel; empty if the channel has none with this id. */
  public Optional<Snapshot> get(Channel channel, OperationId id) {
    if (!id.partition().equals(channel.partition())) {
      return Optional.empty();
    }
    ScriptReply reply =
        new ScriptReply(
            redis.run(
                Script.GET,
                List.of(Keys.meta(channel.partition()), Keys.operations(channel)),
                new ScriptArguments().add(id.value())));
    if (reply.isEmpty()) {
      return Optional.empty();
    }
    Update update = Envelope.decode(reply.bytes(2));
    return Optional.of(new Snapshot(update.readIn(reply.text(0), reply.text(1))));
  }

  /** Reads a page as large as the settings allow. */
  public Delta read(Channel channel, @Nullable Cursor after, boolean paging) {
    return read(channel, after, paging, retention.pageOperations());
  }

  /**
   * Reads the changes of a channel after a cursor, one page at a time.
   *
   * @param after cursor of the reader; null for all retained operations
   * @param paging whether the previous page ended at this cursor
   * @param operations the most operations in the page; it may have fewer
   */
  public Delta read(Channel channel, @Nullable Cursor after, boolean paging, int operations) {
    int limit = Math.min(operations, retention.pageOperations());
    return delta(new ScriptReply(page(channel, after, paging, limit, true)));
  }

  /** Decodes a page. */
  static Delta delta(ScriptReply reply) {
    String epoch = reply.text(0);
    ScriptReply terms = reply.list(1);
    Map<String, Long> continuable = new HashMap<>();
    for (int i = 0; i < terms.size(); i += 2) {
      continuable.put(terms.text(i), terms.number(i + 1));
    }
    String term = terms.text(terms.size() - 2);
    List<Update> updates = new ArrayList<>(reply.size());
    for (int i = 6; i < reply.size(); i++) {
      updates.add(Envelope.decode(reply.bytes(i)).readIn(epoch, term));
    }
    return new Delta(
        epoch,
        term,
        continuable,
        reply.number(2),
        reply.number(3),
        reply.number(4),
        updates,
        reply.number(5) == 1);
  }

  private List<Object> page(
      Channel channel, @Nullable Cursor after, boolean paging, int operations, boolean mayRenew) {
    List<String> keys = new ArrayList<>(Keys.state(channel));
    keys.add(Keys.expiry(channel.partition()));
    List<Object> reply =
        redis.run(
            Script.READ,
            keys,
            new ScriptArguments()
                .add(after == null ? "" : after.epoch())
                .add(after == null ? "" : after.termText())
                .add(after == null ? 0 : after.sequence())
                .add(operations)
                .add(retention.pageBytes())
                .add(paging)
                .add(channel.value()));
    if (!reply.isEmpty()) {
      return reply;
    }
    if (!mayRenew) {
      throw new RedisUnavailableException("Redis lost its epochs twice");
    }
    redis.renewEpochs(channel.partition());
    return page(channel, after, paging, operations, false);
  }

  /**
   * Runs a call, records the hop {@code published}, and dispatches updates that are not published.
   *
   * @param call builds the call for a kind of publication
   * @param cause trace context of the hop before the publication
   */
  private CompletionStage<ScriptReply> apply(
      Function<Publication, UpdateCall> call, TraceContext cause, Subject subject) {
    FanOut.Mode mode = fanOut.mode();
    if (!mode.publishes()) {
      return run(call.apply(new Publication(mode, cause)))
          .thenApply(reply -> {
            if (CHANGED.contains(reply.text(0))) {
              fanOut.dispatchLocally(reply.bytes(3));
            }
            return reply;
          });
    }
    OpenHop published = hops.begin(Hop.PUBLISHED, cause);
    return run(call.apply(new Publication(mode, published.context())))
        .whenComplete((reply, failure) -> {
          if (failure != null) {
            published.end("error", subject);
          } else if (CHANGED.contains(reply.text(0))) {
            published.end(
                reply.text(1),
                new Subject(subject.operation(), subject.correlation(), reply.number(2)));
          }
        });
  }

  private CompletionStage<ScriptReply> run(UpdateCall call) {
    return send(call)
        .thenCompose(
            reply -> hasNoEpoch(reply) ? runAgain(call) : CompletableFuture.completedFuture(reply));
  }

  /** Runs a call again after the epochs were renewed, because a running Redis was emptied. */
  private CompletionStage<ScriptReply> runAgain(UpdateCall call) {
    return redis
        .startRenewal(Partition.ofKey(call.keys().getFirst()))
        .thenCompose(_ -> send(call))
        .thenApply(reply -> {
          if (hasNoEpoch(reply)) {
            throw new RedisUnavailableException("Redis lost its epochs twice");
          }
          return reply;
        });
  }

  private CompletionStage<ScriptReply> send(UpdateCall call) {
    return redis
        .completing(() -> redis.start(call.script(), call.keys(), call.arguments()))
        .thenApply(ScriptReply::new);
  }

  private static boolean hasNoEpoch(ScriptReply reply) {
    return reply.text(0).equals("no_epoch");
  }
}
