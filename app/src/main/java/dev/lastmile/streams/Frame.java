package dev.lastmile.streams;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.lastmile.updates.Update;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One server-sent event in its encoded form, shared by all connections that receive it.
 *
 * <p>It holds the event alone and as a chunk (<a
 * href="https://www.rfc-editor.org/rfc/rfc9112#section-7.1">RFC 9112, section 7.1</a>). The chunk
 * starts with the line end of the previous chunk and has no line end of its own.
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
    this.chunk = ByteBuffer.allocate(head.length + bytes.length).put(head).put(bytes).array();
    this.length = bytes.length;
    this.update = update;
  }

  /** The length of the event in bytes, without the chunk's header. */
  int length() {
    return length;
  }

  /** A new buffer over the shared bytes. Callers must not change the bytes. */
  ByteBuffer view(boolean asChunk) {
    return asChunk ? ByteBuffer.wrap(chunk) : ByteBuffer.wrap(chunk, chunk.length - length, length);
  }

  /** The update in this frame; null for ready, heartbeat, reset and retry. */
  @Nullable Update update() {
    return update;
  }
}
