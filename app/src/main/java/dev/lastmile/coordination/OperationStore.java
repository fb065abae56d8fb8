package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.coordination.ApplyCall.Publication;
import dev.lastmile.coordination.Draft.Idempotency;
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
import dev.lastmile.updates.Update;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The state of all operations, and the one way to change it.
 *
 * <p>A change is one script: state, sequence, timeline and publication happen together or not at
 * all. Where a method throws {@link RedisAwayException} after a time-out nobody knows which;
 * calling it again is safe, because revisions and idempotency keys make it so. Any thread. What
 * returns a stage does not wait; all others block for at most the time-out of Redis.
 */
public final class OperationStore {
  /** Outcomes that made an update. */
  private static final Set<String> CHANGED = Set.of("created", "stored");

  private final RedisLink link;
  private final RetentionProperties retention;
  private final ApplyCall.Factory calls;
  private final HopRecorder hops;
  private final CoordinationSwitch coordination;
  private final Consumer<byte[]> local;
  private final Pointers pointers;
  private final EpochRenewal renewal;
  private final List<Consumer<OperationId>> createdListeners = new CopyOnWriteArrayList<>();

  /**
   * @param local takes each envelope that is not published, for this replica's own connections;
   *     must not block
   */
  OperationStore(
      RedisLink link,
      RedisProperties redis,
      RetentionProperties retention,
      Duration overdueAfter,
      Replica replica,
      HopRecorder hops,
      CoordinationSwitch coordination,
      Consumer<byte[]> local) {
    this.link = link;
    this.retention = retention;
    this.hops = hops;
    this.calls = new ApplyCall.Factory(redis.topic(), replica, retention, overdueAfter);
    this.coordination = coordination;
    this.local = local;
    this.pointers = new Pointers(link, redis.pointerCache());
    this.renewal = new EpochRenewal(link);
  }

  /** Tells of each operation that this replica has created; the listener must not block. */
  public void onCreated(Consumer<OperationId> listener) {
    createdListeners.add(listener);
  }

  /**
   * Stores a new operation as version 1 and publishes it.
   *
   * @param idempotency the key and what was asked with it, if the caller gave one
   * @param submitAgainAfterMillis when another replica submits the job if we do not
   */
  public Creation create(
      Draft draft, @Nullable Idempotency idempotency, long submitAgainAfterMillis) {
    Answer answer =
        link.await(
            apply(
                publication ->
                    calls.create(draft, idempotency, submitAgainAfterMillis, publication),
                draft.trace(),
                Subject.of(draft.id(), draft.correlationId())));
    return switch (answer.text(0)) {
      case "created" -> {
        createdListeners.forEach(listener -> listener.accept(draft.id()));
        yield new Creation.Created(Envelope.decode(answer.bytes(3)));
      }
      case "repeated" -> new Creation.Repeated(new OperationId(answer.text(1)));
      case "gone" -> new Creation.Gone();
      case "conflict" -> new Creation.Conflict();
      case "full" -> new Creation.Full(retention.operationsPerChannel());
      default -> throw new IllegalStateException("apply.lua answered " + answer.text(0));
    };
  }

  /**
   * Stores a change that the external system reported, unless its revision is not a new one or the
   * operation is over. Does not wait: completes on the event loop of Redis, where nobody may block,
   * or with a {@link RedisAwayException}.
   *
   * @param revision the external system's number
   * @param cause the context of the hop that brought it
   */
  public CompletionStage<Change> change(
      OperationId id, Pointer pointer, NewState state, long revision, TraceContext cause) {
    return apply(id, pointer, state, Long.toString(revision), "stored", cause)
        .thenApply(OperationStore::changeOf);
  }

  /** Stores what we had to ask the external system for, as {@link #change}, and waits for it. */
  public Change changeByPoll(
      OperationId id, Pointer pointer, NewState state, long revision, TraceContext cause) {
    return changeOf(
        link.await(apply(id, pointer, state, Long.toString(revision), "polled", cause)));
  }

  /** Stores a change of our own, and waits for it: the external system will not report. */
  public Change changeWithoutRevision(
      OperationId id, Pointer pointer, NewState state, TraceContext cause) {
    return changeOf(link.await(apply(id, pointer, state, "", "external_failed", cause)));
  }

  private CompletionStage<Answer> apply(
      OperationId id,
      Pointer pointer,
      NewState state,
      String revision,
      String outcome,
      TraceContext cause) {
    return apply(
        publication -> calls.change(id, pointer, state, revision, outcome, publication),
        cause,
        Subject.of(id, pointer.correlationId()));
  }

  private static Change changeOf(Answer answer) {
    return switch (answer.text(0)) {
      case "stored" -> Change.STORED;
      case "duplicate" -> Change.DUPLICATE;
      case "stale" -> Change.STALE;
      case "final" -> Change.FINAL;
      case "unknown" -> Change.UNKNOWN;
      default -> throw new IllegalStateException("apply.lua answered " + answer.text(0));
    };
  }

  /** What never changes of an operation; empty if there is no such operation. */
  public Optional<Pointer> pointer(OperationId id) {
    return pointers.get(id);
  }

  /** As {@link #pointer}, without waiting; completes as {@link #change}, or is complete. */
  public CompletionStage<Optional<Pointer>> findPointer(OperationId id) {
    return pointers.find(id);
  }

  /** What the external system has to be told; empty once it has accepted the job. */
  public Optional<Pointer> pointerWithJob(OperationId id) {
    return pointers.withJob(id);
  }

  /** One operation of a channel; empty if it has none with this id. */
  public Optional<Snapshot> get(Channel channel, OperationId id) {
    if (!id.partition().equals(channel.partition())) {
      return Optional.empty();
    }
    Answer answer =
        new Answer(
            link.run(
                Script.GET,
                List.of(Keys.meta(channel.partition()), Keys.operations(channel)),
                List.of(bytes(id.value()))));
    if (answer.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new Snapshot(answer.text(0), Envelope.decode(answer.bytes(1))));
  }

  /**
   * What changed in a channel after a cursor: a page of it.
   *
   * @param after where the reader stands; null for everything retained
   * @param paging whether the page before ended there
   */
  public Delta read(Channel channel, @Nullable Cursor after, boolean paging) {
    Answer answer = new Answer(page(channel, after, paging, true));
    List<Update> updates = new ArrayList<>(answer.size());
    for (int i = 5; i < answer.size(); i++) {
      updates.add(Envelope.decode(answer.bytes(i)).inEpoch(answer.text(0)));
    }
    return new Delta(
        answer.text(0),
        answer.number(1),
        answer.number(2),
        answer.number(3),
        updates,
        answer.number(4) == 1);
  }

  private List<Object> page(
      Channel channel, @Nullable Cursor after, boolean paging, boolean again) {
    List<Object> answer =
        link.run(
            Script.READ,
            List.of(
                Keys.meta(channel.partition()),
                Keys.channel(channel),
                Keys.log(channel),
                Keys.operations(channel)),
            List.of(
                bytes(after == null ? "" : after.epoch()),
                bytes(Long.toString(after == null ? 0 : after.sequence())),
                bytes(Integer.toString(retention.pageOperations())),
                bytes(Integer.toString(retention.pageBytes())),
                bytes(paging ? "1" : "0")));
    if (answer.isEmpty()) {
      renew(again);
      return page(channel, after, paging, false);
    }
    return answer;
  }

  /**
   * @param call made of how the update is to leave
   * @param cause the context of the hop before publication
   */
  private CompletionStage<Answer> apply(
      Function<Publication, ApplyCall> call, TraceContext cause, Subject subject) {
    if (!coordination.broadcasts()) {
      return run(call.apply(new Publication(false, cause)))
          .thenApply(answer -> {
            if (CHANGED.contains(answer.text(0))) {
              local.accept(answer.bytes(3));
            }
            return answer;
          });
    }
    OpenHop published = hops.begin(Hop.PUBLISHED, cause);
    return run(call.apply(new Publication(true, published.context())))
        .whenComplete((answer, failure) -> {
          if (failure != null) {
            published.end("error", subject);
          } else if (CHANGED.contains(answer.text(0))) {
            published.end(
                answer.number(1) > 0 ? "audience" : "no_audience",
                new Subject(subject.operation(), subject.correlation(), answer.number(2)));
          }
        });
  }

  private CompletionStage<Answer> run(ApplyCall call) {
    return send(call)
        .thenCompose(answer ->
            hasNoEpoch(answer) ? runAgain(call) : CompletableFuture.completedFuture(answer));
  }

  /** Somebody emptied a running Redis. */
  private CompletionStage<Answer> runAgain(ApplyCall call) {
    return renewal
        .renewed()
        .thenCompose(_ -> send(call))
        .thenApply(answer -> {
          if (hasNoEpoch(answer)) {
            throw new RedisAwayException("Redis lost its epochs twice");
          }
          return answer;
        });
  }

  private CompletionStage<Answer> send(ApplyCall call) {
    return link.failing(() -> link.start(Script.APPLY, call.keys(), call.arguments()))
        .thenApply(Answer::new);
  }

  private static boolean hasNoEpoch(Answer answer) {
    return answer.text(0).equals("no_epoch");
  }

  private void renew(boolean again) {
    if (!again) {
      throw new RedisAwayException("Redis lost its epochs twice");
    }
    link.renewEpochs();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
