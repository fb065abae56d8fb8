package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.HopRecorder;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Envelope;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Update;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The state of all operations, and the one way to change it.
 *
 * <p>A change is one script: state, sequence, timeline and publication happen together or not at
 * all. Where a method throws {@link RedisAwayException} after a time-out nobody knows which;
 * calling it again is safe, because revisions and idempotency keys make it so. Blocks for at most
 * the time-out of Redis; any thread.
 */
public final class OperationStore {
  /** Outcomes that made an update. */
  private static final Set<String> CHANGED = Set.of("created", "stored");

  private final RedisLink link;
  private final RetentionProperties retention;
  private final ApplyCall.Factory calls;
  private final HopRecorder hops;
  private final boolean broadcast;
  private final Consumer<byte[]> local;
  private final Cache<OperationId, Pointer> pointers;
  private final List<Consumer<OperationId>> createdListeners = new CopyOnWriteArrayList<>();

  /**
   * @param broadcast whether updates are published; if not, {@code local} gets each envelope
   * @param local takes an envelope for this replica's own connections; must not block
   */
  OperationStore(
      RedisLink link,
      RedisProperties redis,
      RetentionProperties retention,
      Duration overdueAfter,
      Replica replica,
      HopRecorder hops,
      boolean broadcast,
      Consumer<byte[]> local) {
    this.link = link;
    this.retention = retention;
    this.hops = hops;
    this.calls = new ApplyCall.Factory(redis.topic(), broadcast, replica, retention, overdueAfter);
    this.broadcast = broadcast;
    this.local = local;
    this.pointers = Caffeine.newBuilder().maximumSize(redis.pointerCache()).build();
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
        apply(
            calls.create(draft, idempotency, submitAgainAfterMillis),
            draft.id(),
            draft.correlationId());
    return switch (answer.text(0)) {
      case "created" -> {
        createdListeners.forEach(listener -> listener.accept(draft.id()));
        yield new Creation.Created(Envelope.decode(answer.bytes(2)));
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
   * operation is over.
   *
   * @param revision the external system's number
   */
  public Change change(OperationId id, Pointer pointer, NewState state, long revision) {
    return change(id, pointer, state, Long.toString(revision), "stored");
  }

  /** As {@link #change}, for what we had to ask the external system for. */
  public Change changeByPoll(OperationId id, Pointer pointer, NewState state, long revision) {
    return change(id, pointer, state, Long.toString(revision), "polled");
  }

  /** Stores a change of our own: the external system will not report. */
  public Change changeWithoutRevision(OperationId id, Pointer pointer, NewState state) {
    return change(id, pointer, state, "", "external_failed");
  }

  private Change change(
      OperationId id, Pointer pointer, NewState state, String revision, String outcome) {
    Answer answer =
        apply(calls.change(id, pointer, state, revision, outcome), id, pointer.correlationId());
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
    Pointer cached = pointers.getIfPresent(id);
    if (cached != null) {
      return Optional.of(cached);
    }
    Map<String, byte[]> fields = link.call(commands -> commands.hgetall(Keys.pointer(id)));
    if (!fields.containsKey("channel")) {
      return Optional.empty();
    }
    Pointer pointer =
        new Pointer(
            new Channel(text(fields, "channel")),
            text(fields, "kind"),
            new CorrelationId(text(fields, "correlationId")),
            new TraceContext(text(fields, "traceparent"), text(fields, "tracestate")),
            Long.parseLong(text(fields, "createdAt")),
            text(fields, "job"));
    pointers.put(id, pointer.withoutJob());
    return Optional.of(pointer);
  }

  /** What the external system has to be told; empty once it has accepted the job. */
  public Optional<Pointer> pointerWithJob(OperationId id) {
    pointers.invalidate(id);
    return pointer(id).filter(pointer -> !pointer.job().isEmpty());
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
      updates.add(Envelope.decode(answer.bytes(i)));
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

  private Answer apply(ApplyCall call, OperationId id, CorrelationId correlation) {
    Answer answer;
    try {
      answer = new Answer(link.run(Script.APPLY, call.keys(), call.arguments()));
      if (answer.text(0).equals("no_epoch")) {
        renew(true);
        answer = new Answer(link.run(Script.APPLY, call.keys(), call.arguments()));
      }
    } catch (RedisAwayException e) {
      hops.record(Hop.PUBLISHED, "error", id, correlation);
      throw e;
    }
    if (CHANGED.contains(answer.text(0))) {
      if (broadcast) {
        String audience = answer.number(1) > 0 ? "audience" : "no_audience";
        hops.record(Hop.PUBLISHED, audience, id, correlation);
      } else {
        local.accept(answer.bytes(2));
      }
    }
    return answer;
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

  private static String text(Map<String, byte[]> fields, String name) {
    return new String(fields.getOrDefault(name, new byte[0]), UTF_8);
  }
}
