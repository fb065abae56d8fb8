package dev.lastmile.connections;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.lastmile.updates.Update;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One server-sent event as it goes over the wire, shared by all connections that get it: alone, and
 * as a chunk (<a href="https://www.rfc-editor.org/rfc/rfc9112#section-7.1">RFC 9112, section
 * 7.1</a>), without the line end behind it and with that of the chunk before.
 */
final class Frame {
  private final byte[] chunk;
  private final int length;
  private final @Nullable Update update;

  /**
   * @param bytes UTF-8, not empty
   */
  Frame(byte[] bytes, @Nullable Update update) {
    byte[] head = ("\r\n" + Integer.toHexString(bytes.length) + "\r\n").getBytes(US_ASCII);
    this.chunk = new byte[head.length + bytes.length];
    System.arraycopy(head, 0, chunk, 0, head.length);
    System.arraycopy(bytes, 0, chunk, head.length, bytes.length);
    this.length = bytes.length;
    this.update = update;
  }

  /** Bytes of the event. */
  int length() {
    return length;
  }

  /** A view of its own; the bytes are not to be changed. */
  ByteBuffer view(boolean asChunk) {
    return asChunk ? ByteBuffer.wrap(chunk) : ByteBuffer.wrap(chunk, chunk.length - length, length);
  }

  /** What it carries; null for ready, heartbeat, reset and the like. */
  @Nullable Update update() {
    return update;
  }
}
