package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.telemetry.Replica;
import dev.lastmile.telemetry.TraceContext;
import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.OperationId;
import java.util.ArrayList;
import java.util.List;

/** Takes what browsers say they have applied: hop 5. Blocks as {@link OperationStore} does. */
public final class Acks {
  private final RedisLink link;
  private final Replica replica;

  Acks(RedisLink link, Replica replica) {
    this.link = link;
    this.replica = replica;
  }

  /**
   * One ack.
   *
   * @param version covers this one and all before it
   * @param via how the browser learnt it: {@code live}, {@code replay} or {@code poll}
   */
  public record Ack(OperationId operationId, long version, String via) {}

  /**
   * What became of an ack that was taken.
   *
   * @param covered how many versions it was the first to cover; 0 for a duplicate
   * @param createdAtMillis when the operation was created, if this covers its final version; else 0
   * @param publications of the versions that it covers, as far as they are known; of a duplicate,
   *     that of its version
   */
  public record Receipt(
      long covered,
      CorrelationId correlationId,
      long createdAtMillis,
      List<Publication> publications) {}

  /**
   * When and in which trace a version was published.
   *
   * @param atMicros Redis time; 0 if it was not published
   */
  public record Publication(long version, long atMicros, TraceContext trace) {}

  /** What became of a batch. */
  public sealed interface Result {
    /**
     * All were taken.
     *
     * @param atMicros when, Redis time
     * @param receipts what became of each, in their order
     */
    record Taken(long atMicros, List<Receipt> receipts) implements Result {}

    /** None was taken: the channel has no such operation. */
    record Unknown(int index) implements Result {}

    /** None was taken: the version does not exist yet. */
    record Ahead(int index) implements Result {}
  }

  /** Takes all acks or none. */
  public Result take(Channel channel, List<Ack> acks) {
    List<String> keys = new ArrayList<>(acks.size() * 2 + 1);
    List<byte[]> arguments = new ArrayList<>(acks.size() * 3 + 1);
    keys.add(Keys.operations(channel));
    arguments.add(replica.name().getBytes(UTF_8));
    for (int i = 0; i < acks.size(); i++) {
      Ack ack = acks.get(i);
      if (!ack.operationId().partition().equals(channel.partition())) {
        return new Result.Unknown(i);
      }
      keys.add(Keys.timeline(ack.operationId()));
      keys.add(Keys.pointer(ack.operationId()));
      arguments.add(ack.operationId().value().getBytes(UTF_8));
      arguments.add(Long.toString(ack.version()).getBytes(UTF_8));
      arguments.add(ack.via().getBytes(UTF_8));
    }
    Answer answer = new Answer(link.run(Script.ACK, keys, arguments));
    return switch (answer.text(0)) {
      case "ok" -> {
        List<Receipt> receipts = new ArrayList<>(acks.size());
        for (int i = 2; i < answer.size(); i += 4) {
          receipts.add(
              new Receipt(
                  answer.number(i),
                  new CorrelationId(answer.text(i + 1)),
                  Long.parseLong(answer.text(i + 2)),
                  publications(answer.text(i + 3))));
        }
        yield new Result.Taken(Long.parseLong(answer.text(1)), List.copyOf(receipts));
      }
      case "unknown" -> new Result.Unknown(Math.toIntExact(answer.number(1)) - 1);
      case "ahead" -> new Result.Ahead(Math.toIntExact(answer.number(1)) - 1);
      default -> throw new IllegalStateException("ack.lua answered " + answer.text(0));
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
