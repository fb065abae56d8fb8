package dev.lastmile.streams;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class SendQueueTest {
  private static Frame frame(String text) {
    return new Frame(text.getBytes(UTF_8), null);
  }

  @Test
  void whatWaitsLeavesInOneWriteInOrder() {
    SendQueue queue = new SendQueue(10, 1_000);
    queue.offer(frame("a"));
    queue.offer(frame("b"));
    queue.offer(frame("c"));
    assertThat(UTF_8.decode(queue.nextWrite(100, false)).toString()).isEqualTo("abc");
    assertThat(queue.written()).hasSize(3);
    assertThat(queue.isEmpty()).isTrue();
  }

  @Test
  void asChunksEachBringsTheLineEndOfTheOneBefore() {
    SendQueue queue = new SendQueue(10, 1_000);
    queue.offer(frame("a"));
    queue.offer(frame("0123456789abcdef"));
    String write = UTF_8.decode(queue.nextWrite(100, true)).toString();
    assertThat(write).isEqualTo("\r\n1\r\na\r\n10\r\n0123456789abcdef");
    queue.offer(frame("b"));
    queue.written();
    assertThat(UTF_8.decode(queue.nextWrite(100, true)).toString()).isEqualTo("\r\n1\r\nb");
  }

  @Test
  void aWriteIsBounded() {
    SendQueue queue = new SendQueue(10, 1_000);
    queue.offer(frame("aaaa"));
    queue.offer(frame("bbbb"));
    queue.offer(frame("cccc"));
    assertThat(UTF_8.decode(queue.nextWrite(8, false)).toString()).isEqualTo("aaaabbbb");
    queue.written();
    assertThat(UTF_8.decode(queue.nextWrite(2, false)).toString()).isEqualTo("cccc");
  }

  @Test
  void aSingleFrameIsNotCopied() {
    SendQueue queue = new SendQueue(10, 1_000);
    Frame only = frame("a");
    queue.offer(only);
    assertThat(queue.nextWrite(100, false).array()).isSameAs(only.view(true).array());
  }

  @Test
  void bytesUnderWayCountUntilTheyAreWritten() {
    SendQueue queue = new SendQueue(10, 10);
    queue.offer(frame("12345678"));
    ByteBuffer write = queue.nextWrite(100, false);
    assertThat(write.remaining()).isEqualTo(8);
    assertThat(queue.offer(frame("123"))).isFalse();
    queue.written();
    assertThat(queue.offer(frame("123"))).isTrue();
    assertThat(queue.bytes()).isEqualTo(3);
  }

  @Test
  void aFrameAboveTheBoundPassesWhenItIsAlone() {
    SendQueue queue = new SendQueue(10, 4);
    assertThat(queue.offer(frame("123456"))).isTrue();
    assertThat(queue.offer(frame("1"))).isFalse();
  }
}
