package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * One entry of the ledger: an update that one owner is expected to deliver.
 *
 * @param channel the audience of the update
 * @param cursor the epoch and the sequence of the update
 * @param owner the incarnation that held a connection of the channel at publication
 * @param operationId the operation of the update
 * @param version the update's number within its operation
 * @param correlationId the correlation id of the operation
 * @param traceparent W3C trace context of the publication
 * @param publishedAtMicros Redis time of the publication, microseconds since 1970
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

  /** The delivery that is expected of an owner of this update. */
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
   * Parses an entry as the ledger stores it.
   *
   * @param entry time, operation, version, correlation id, traceparent
   * @throws IllegalArgumentException if the text is not an entry
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
   * Decodes a redelivery: a header without payload, written by {@code sweep.lua}, which requests
   * the delivery from its owner again.
   *
   * @throws IllegalArgumentException if the bytes are not a redelivery
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

  /** The update's sequence in the channel. */
  public long sequence() {
    return cursor.sequence();
  }

  /** The trace id: the second part of the traceparent. */
  public String traceId() {
    int end = Math.min(35, traceparent.length());
    return traceparent.length() < 3 ? "" : traceparent.substring(3, end);
  }
}
