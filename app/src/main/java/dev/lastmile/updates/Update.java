package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Locale;

/**
 * One version of an operation's state, for the clients of a channel.
 *
 * <p>The state is encoded once, by the replica that changed it, and copied into frames and answers
 * unchanged. Only the end of the JSON object is added here: the time of the change, which comes
 * from Redis, the cursor, and for the stream the trace context. Immutable: no code may change the
 * array.
 *
 * @param channel the audience of the update
 * @param cursor the position of this update in its channel, in the term in which it was published
 *     or read
 * @param version 1 for the creation, then one more per stored change
 * @param traceparent W3C trace context of the span that published it
 * @param tracestate the W3C tracestate of that span, may be empty
 * @param publishedAtMicros Redis time of the publication, microseconds since 1970
 * @param state UTF-8 of the operation's JSON object without its end, without line breaks: the data
 *     of the stream's {@code update} event without {@link #eventEnd}
 */
@SuppressWarnings("ArrayRecordComponent") // updates are not compared, and a copy costs per frame
public record Update(
    Channel channel,
    OperationId operationId,
    Cursor cursor,
    long version,
    CorrelationId correlationId,
    String traceparent,
    String tracestate,
    long publishedAtMicros,
    byte[] state) {
  /** ISO 8601 in UTC with milliseconds. */
  private static final DateTimeFormatter ISO =
      new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);

  /** The sequence in the channel, one more per update. */
  public long sequence() {
    return cursor.sequence();
  }

  /**
   * The same state, read in this epoch and term. State that Redis kept continues under its
   * sequences, and a client has to be able to resume from it.
   */
  public Update readIn(String epoch, String term) {
    Cursor read = new Cursor(epoch, term, cursor.sequence());
    return read.equals(cursor)
        ? this
        : new Update(
            channel,
            operationId,
            read,
            version,
            correlationId,
            traceparent,
            tracestate,
            publishedAtMicros,
            state);
  }

  /** The end of the operation's JSON, as all endpoints but the stream return it. */
  public byte[] operationEnd() {
    return (changed(clientCursor()) + "}").getBytes(UTF_8);
  }

  /** The operation's JSON, as all endpoints but the stream return it. */
  public byte[] operationJson() {
    byte[] end = operationEnd();
    byte[] json = Arrays.copyOf(state, state.length + end.length);
    System.arraycopy(end, 0, json, state.length, end.length);
    return json;
  }

  /**
   * The end of the data of the stream's {@code update} event.
   *
   * @param cursor the text of this update's cursor
   */
  public byte[] eventEnd(String cursor) {
    String published =
        ",\"traceparent\":\"" + traceparent + "\",\"publishedAt\":\"" + publishedAt() + "\"}";
    return (changed(cursor) + published).getBytes(UTF_8);
  }

  private String changed(String cursor) {
    return ",\"updatedAt\":\"" + publishedAt() + "\",\"cursor\":\"" + cursor + '"';
  }

  private String publishedAt() {
    return ISO.format(Instant.EPOCH.plus(publishedAtMicros, ChronoUnit.MICROS));
  }

  /** The text of this update's cursor, for clients. */
  public String clientCursor() {
    return ClientCursor.text(cursor, channel);
  }

  @Override
  public String toString() {
    return operationId + " v" + version + " at " + cursor;
  }
}
