package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * One entry of the ledger: an update that one owner is expected to deliver.
 *
 * @param channel the audience of the update
 * @param cursor the position of the update, in the term in which it was published or found
 * @param owner the incarnation that held a connection of the channel at publication
 * @param operationId the operation of the update
 * @param version the update's number within its operation
 * @param correlationId the correlation id of the operation
 * @param traceparent W3C trace context of the publication
 * @param publishedAtMicros Redis time of the publication, microseconds since 1970
 * @param term the term of the publication. If the update is lost, another one may have its sequence
 */
public record Delivery(
    Channel channel,
    Cursor cursor,
    String owner,
    OperationId operationId,
    long version,
    CorrelationId correlationId,
    String traceparent,
    long publishedAtMicros,
    String term) {
  private static final int REDELIVERY_FIELDS = 12;

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
        update.publishedAtMicros(),
        update.cursor().term());
  }

  /**
   * Parses an entry as the ledger stores it.
   *
   * @param entry time, operation, version, correlation id, traceparent, term
   * @throws IllegalArgumentException if the text is not an entry
   */
  public static Delivery parse(Channel channel, Cursor cursor, String owner, String entry) {
    String[] field = entry.split(" ", -1);
    if (field.length != 6) {
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
        Long.parseLong(field[0]),
        field[5]);
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
        new Cursor(field[3], field[4], Long.parseLong(field[5])),
        field[1],
        new OperationId(field[7]),
        Long.parseLong(field[8]),
        new CorrelationId(field[9]),
        field[10],
        Long.parseLong(field[6]),
        field[11]);
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
