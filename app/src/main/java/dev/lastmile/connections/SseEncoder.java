package dev.lastmile.connections;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Update;
import java.time.Duration;

/**
 * Encodes events as the HTML standard has them (<a
 * href="https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation">server-sent
 * events</a>).
 *
 * <p>Only {@code update} has an {@code id}, so {@code Last-Event-ID} is always a cursor. Nothing
 * here needs escaping: payloads are JSON without line breaks, the rest is made of ids with a fixed
 * alphabet.
 */
final class SseEncoder {
  private static final byte[] UPDATE = bytes("event: update\ndata: ");
  private static final byte[] END = bytes("\n\n");

  private SseEncoder() {}

  /** An update whose id moves the client's cursor. */
  static Frame update(Update update) {
    return frame(bytes("id: " + update.cursor() + "\n"), update);
  }

  /** An update after a hole: without an id, so that the client's cursor stays before the hole. */
  static Frame updateWithoutId(Update update) {
    return frame(new byte[0], update);
  }

  private static Frame frame(byte[] id, Update update) {
    byte[] payload = update.payload();
    byte[] frame = new byte[id.length + UPDATE.length + payload.length + END.length];
    int at = put(id, frame, 0);
    at = put(UPDATE, frame, at);
    at = put(payload, frame, at);
    put(END, frame, at);
    return new Frame(frame, update);
  }

  private static int put(byte[] part, byte[] frame, int at) {
    System.arraycopy(part, 0, frame, at, part.length);
    return at + part.length;
  }

  /** The stream has begun; updates up to the cursor are replay, later ones live. */
  static Frame ready(Cursor head, String replica, Duration heartbeat, Duration retry) {
    return event(
        "retry: %d\nevent: ready\ndata: {\"cursor\":\"%s\",\"epoch\":\"%s\",\"replica\":\"%s\",\"heartbeatSeconds\":%s}\n\n"
            .formatted(
                retry.toMillis(), head, head.epoch(), replica, seconds(heartbeat.toMillis())));
  }

  /** What follows, up to the cursor, replaces the client's state. */
  static Frame reset(Cursor head, String reason) {
    return event(
        "event: reset\ndata: {\"cursor\":\"%s\",\"reason\":\"%s\"}\n\n".formatted(head, reason));
  }

  /** The stream is alive and stands here. */
  static Frame heartbeat(Cursor position) {
    return event("event: heartbeat\ndata: {\"cursor\":\"%s\"}\n\n".formatted(position));
  }

  /** Come back after this long. */
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
