package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * One version of an operation's state, as it travels to a browser.
 *
 * <p>The payload is the finished JSON text of the stream's {@code update} event. It is encoded
 * once, when the update is made, and goes into every frame as it is; nobody changes the array.
 */
public final class Update {
  /** What stands between the operation and the epoch in the payload; see {@code apply.lua}. */
  private static final byte[] CURSOR = ",\"cursor\":\"".getBytes(UTF_8);

  private final Channel channel;
  private final OperationId operationId;
  private final Cursor cursor;
  private final long version;
  private final CorrelationId correlationId;
  private final String traceparent;
  private final String tracestate;
  private final long publishedAtMicros;
  private final int operationLength;
  private final byte[] payload;

  /**
   * @param cursor the epoch and the sequence of this update in its channel
   * @param version 1 for the creation, then one more per stored change
   * @param traceparent W3C context of the span that published it
   * @param tracestate the list that belongs to it, may be empty
   * @param publishedAtMicros Redis time since 1970
   * @param operationLength how much of the payload, in bytes, is the operation without its closing
   *     brace; what only the stream carries comes after it
   * @param payload UTF-8 JSON without line breaks
   */
  public Update(
      Channel channel,
      OperationId operationId,
      Cursor cursor,
      long version,
      CorrelationId correlationId,
      String traceparent,
      String tracestate,
      long publishedAtMicros,
      int operationLength,
      byte[] payload) {
    this.channel = channel;
    this.operationId = operationId;
    this.cursor = cursor;
    this.version = version;
    this.correlationId = correlationId;
    this.traceparent = traceparent;
    this.tracestate = tracestate;
    this.publishedAtMicros = publishedAtMicros;
    this.operationLength = operationLength;
    this.payload = payload;
  }

  /** Who may see it. */
  public Channel channel() {
    return channel;
  }

  /** What it is a version of. */
  public OperationId operationId() {
    return operationId;
  }

  /** Its place in the channel. */
  public Cursor cursor() {
    return cursor;
  }

  /** Its number in the channel, +1 per update. */
  public long sequence() {
    return cursor.sequence();
  }

  /** Its number in the operation, +1 per stored change. */
  public long version() {
    return version;
  }

  /** The click that it belongs to. */
  public CorrelationId correlationId() {
    return correlationId;
  }

  /** W3C trace context of its publication. */
  public String traceparent() {
    return traceparent;
  }

  /** The vendor list that goes with it; may be empty. */
  public String tracestate() {
    return tracestate;
  }

  /** Redis time of its publication, microseconds since 1970. */
  public long publishedAtMicros() {
    return publishedAtMicros;
  }

  /**
   * The same state as part of another epoch: what Redis has kept over a renewal goes on under its
   * sequences, and a client that was told to replace its state has to be able to resume from it.
   *
   * @throws IllegalArgumentException if the payload is not what {@code apply.lua} writes
   */
  public Update inEpoch(String epoch) {
    if (epoch.equals(cursor.epoch())) {
      return this;
    }
    Cursor moved = new Cursor(epoch, cursor.sequence());
    byte[] bytes = payload.clone();
    int at = operationLength + CURSOR.length;
    boolean fits = bytes.length >= at + epoch.length();
    if (!fits || !Arrays.equals(bytes, operationLength, at, CURSOR, 0, CURSOR.length)) {
      throw new IllegalArgumentException("no cursor after the operation of " + this);
    }
    System.arraycopy(epoch.getBytes(UTF_8), 0, bytes, at, epoch.length());
    return new Update(
        channel,
        operationId,
        moved,
        version,
        correlationId,
        traceparent,
        tracestate,
        publishedAtMicros,
        operationLength,
        bytes);
  }

  /** The operation alone, as the other endpoints answer it. */
  public byte[] operationJson() {
    byte[] json = Arrays.copyOf(payload, operationLength + 1);
    json[operationLength] = '}';
    return json;
  }

  /** The JSON text for the browser; not to be changed. */
  public byte[] payload() {
    return payload;
  }

  @Override
  public String toString() {
    return operationId + " v" + version + " at " + cursor;
  }
}
