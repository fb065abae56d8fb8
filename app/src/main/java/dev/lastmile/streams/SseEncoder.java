package dev.lastmile.streams;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.ClientCursor;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.Delta.ResetReason;
import dev.lastmile.updates.Update;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Encodes <a
 * href="https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation">server-sent
 * events</a> as the HTML standard defines them.
 *
 * <p>Only {@code update} has an {@code id}, so {@code Last-Event-ID} is always a cursor. No value
 * needs escaping: payloads are JSON without line breaks, and ids have a fixed alphabet.
 */
final class SseEncoder {
  private static final byte[] UPDATE = bytes("event: update\ndata: ");
  private static final byte[] END = bytes("\n\n");

  private SseEncoder() {}

  /** An update with an id, which becomes the client's cursor. */
  static Frame update(Update update) {
    return update(update, update.clientCursor());
  }

  private static Frame update(Update update, String cursor) {
    return frame(bytes("id: " + cursor + "\n"), cursor, update);
  }

  /** The updates of a read. Up to the last one of a complete read, their cursors are partial. */
  static List<Frame> updates(Delta delta) {
    int last = delta.complete() ? delta.updates().size() - 1 : -1;
    List<Frame> frames = new ArrayList<>(delta.updates().size());
    for (Update update : delta.updates()) {
      Cursor cursor = frames.size() == last ? update.cursor() : update.cursor().within();
      frames.add(update(update, ClientCursor.text(cursor, update.channel())));
    }
    return frames;
  }

  /** An update after a gap: without an id, so the client's cursor stays before the gap. */
  static Frame updateWithoutId(Update update) {
    return frame(new byte[0], update.clientCursor(), update);
  }

  private static Frame frame(byte[] id, String cursor, Update update) {
    byte[] state = update.state();
    byte[] end = update.eventEnd(cursor);
    int length = id.length + UPDATE.length + state.length + end.length + END.length;
    byte[] frame =
        ByteBuffer.allocate(length).put(id).put(UPDATE).put(state).put(end).put(END).array();
    return new Frame(frame, update);
  }

  /** Starts the stream: updates up to the cursor are replay, later ones are live. */
  static Frame ready(
      Channel channel, Cursor head, String replica, Duration heartbeat, Duration retry) {
    return event(
        "retry: "
            + retry.toMillis()
            + "\nevent: ready\ndata: {\"cursor\":\""
            + ClientCursor.text(head, channel)
            + "\",\"epoch\":\""
            + head.epoch()
            + "\",\"replica\":\""
            + replica
            + "\",\"heartbeatSeconds\":"
            + seconds(heartbeat.toMillis())
            + "}\n\n");
  }

  /** Tells the client that the updates up to the cursor replace its state. */
  static Frame reset(Channel channel, Cursor head, ResetReason reason) {
    String cursor = ClientCursor.text(head, channel);
    return event(
        "event: reset\ndata: {\"cursor\":\""
            + cursor
            + "\",\"reason\":\""
            + reason.wireName()
            + "\"}\n\n");
  }

  /** Shows that the stream is alive, and its position. */
  static Frame heartbeat(Channel channel, Cursor position) {
    String cursor = ClientCursor.text(position, channel);
    return event("event: heartbeat\ndata: {\"cursor\":\"" + cursor + "\"}\n\n");
  }

  /** Sets the client's reconnection time. */
  static Frame retry(long millis) {
    return event("retry: " + millis + "\n\n");
  }

  private static String seconds(long millis) {
    return millis % 1_000 == 0 ? Long.toString(millis / 1_000) : Double.toString(millis / 1e3);
  }

  private static Frame event(String text) {
    return new Frame(bytes(text), null);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
