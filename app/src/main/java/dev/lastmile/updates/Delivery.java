package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * One entry of the ledger: an update that one owner is expected to deliver.
 *
 * @param channel whom it is for
 * @param cursor the epoch and the sequence of the update
 * @param owner the incarnation that held a connection of the channel when it was published
 * @param operationId what it is a version of
 * @param version the update's number in its operation
 * @param correlationId the click that it belongs to
 * @param traceparent W3C trace context of its publication
 * @param publishedAtMicros Redis time since 1970
 */
public record Delivery(
    Channel channel,
    Cursor cursor,
    String owner,
    OperationId operationId,
    long version,
    CorrelationId correlationId,
    String traceparent,
    long publishedAtMicros) {
  private static final int REDELIVERY_FIELDS = 10;

  /** What is expected of an owner of this update. */
  public static Delivery of(Update update, String owner) {
    return new Delivery(
        update.channel(),
        update.cursor(),
        owner,
        update.operationId(),
        update.version(),
        update.correlationId(),
        update.traceparent(),
        update.publishedAtMicros());
  }

  /**
   * Reads an entry as the ledger keeps it.
   *
   * @param entry what stands in it: time, operation, version, correlation id, traceparent
   * @throws IllegalArgumentException if it is no such text
   */
  public static Delivery parse(Channel channel, Cursor cursor, String owner, String entry) {
    String[] field = entry.split(" ", -1);
    if (field.length != 5) {
      throw new IllegalArgumentException("not an entry of the ledger: " + entry);
    }
    return new Delivery(
        channel,
        cursor,
        owner,
        new OperationId(field[1]),
        Long.parseLong(field[2]),
        new CorrelationId(field[3]),
        field[4],
        Long.parseLong(field[0]));
  }

  /**
   * Reads the message by which an owner is asked again: a header without payload, written by {@code
   * sweep.lua}.
   *
   * @throws IllegalArgumentException if the bytes are no such message
   */
  public static Delivery decodeRedelivery(byte[] message) {
    String[] field = new String(message, UTF_8).split("\t", -1);
    if (field.length != REDELIVERY_FIELDS) {
      throw new IllegalArgumentException("not a redelivery");
    }
    return new Delivery(
        new Channel(field[2]),
        new Cursor(field[3], Long.parseLong(field[4])),
        field[1],
        new OperationId(field[6]),
        Long.parseLong(field[7]),
        new CorrelationId(field[8]),
        field[9],
        Long.parseLong(field[5]));
  }

  /** Its number in the channel. */
  public long sequence() {
    return cursor.sequence();
  }

  /** The trace that it belongs to: the second part of a traceparent. */
  public String traceId() {
    int end = Math.min(35, traceparent.length());
    return traceparent.length() < 3 ? "" : traceparent.substring(3, end);
  }
}
