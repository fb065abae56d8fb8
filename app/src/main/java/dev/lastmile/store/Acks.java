package dev.lastmile.store;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;
import java.util.ArrayList;
import java.util.List;
import org.springframework.stereotype.Component;

/** Stores the acks of browsers: hop 5. Blocks as {@link OperationStore} does. */
@Component
public final class Acks {
  private final RedisConnection redis;
  private final Replica replica;

  Acks(RedisConnection redis, Replica replica) {
    this.redis = redis;
    this.replica = replica;
  }

  /**
   * One ack.
   *
   * @param version covers this version and all before it
   * @param via how the browser received it: {@code live}, {@code replay} or {@code poll}
   */
  public record Ack(OperationId operationId, long version, String via) {}

  /**
   * The result of an ack that was stored.
   *
   * @param covered number of versions that this ack is the first to cover; 0 for a duplicate
   * @param createdAtMillis Redis time of the operation's creation, if this ack is the first to
   *     cover its final version; otherwise 0
   * @param publications of the versions that it covers, as far as the timeline has them; for a
   *     duplicate, that of its version
   */
  public record Receipt(
      long covered,
      CorrelationId correlationId,
      long createdAtMillis,
      List<Publication> publications) {}

  /**
   * The time and trace of a version's publication.
   *
   * @param atMicros Redis time; 0 if it was not published
   */
  public record Publication(long version, long atMicros, TraceContext trace) {}

  /** The result of a batch. */
  public sealed interface Result {
    /**
     * All acks were stored.
     *
     * @param atMicros Redis time
     * @param receipts one per ack, in the order of the acks
     */
    record Taken(long atMicros, List<Receipt> receipts) implements Result {}

    /** No ack was stored: the channel has no such operation. */
    record Unknown(int index) implements Result {}

    /** No ack was stored: the version does not exist yet. */
    record Ahead(int index) implements Result {}
  }

  /** Stores all acks or none. */
  public Result take(Channel channel, List<Ack> acks) {
    List<String> keys = new ArrayList<>(acks.size() * 2 + 1);
    ScriptArguments arguments = new ScriptArguments().add(replica.name());
    keys.add(Keys.operations(channel));
    for (int i = 0; i < acks.size(); i++) {
      Ack ack = acks.get(i);
      if (!ack.operationId().partition().equals(channel.partition())) {
        return new Result.Unknown(i);
      }
      keys.add(Keys.timeline(ack.operationId()));
      keys.add(Keys.operationMetadata(ack.operationId()));
      arguments.add(ack.operationId().value()).add(ack.version()).add(ack.via());
    }
    ScriptReply reply = new ScriptReply(redis.run(Script.ACK, keys, arguments));
    return switch (reply.text(0)) {
      case "ok" -> {
        List<Receipt> receipts = new ArrayList<>(acks.size());
        for (int i = 2; i < reply.size(); i += 4) {
          receipts.add(
              new Receipt(
                  reply.number(i),
                  new CorrelationId(reply.text(i + 1)),
                  Long.parseLong(reply.text(i + 2)),
                  publications(reply.text(i + 3))));
        }
        yield new Result.Taken(Long.parseLong(reply.text(1)), List.copyOf(receipts));
      }
      case "unknown" -> new Result.Unknown(Math.toIntExact(reply.number(1)) - 1);
      case "ahead" -> new Result.Ahead(Math.toIntExact(reply.number(1)) - 1);
      default -> throw new IllegalStateException("ack.lua answered " + reply.text(0));
    };
  }

  private static List<Publication> publications(String lines) {
    return lines
        .lines()
        .map(line -> line.split(" ", -1))
        .map(field ->
            new Publication(
                Long.parseLong(field[0]),
                Long.parseLong(field[1]),
                TraceContext.of(field[2], null)))
        .toList();
  }
}
