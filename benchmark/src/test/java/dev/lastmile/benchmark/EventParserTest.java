package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventParserTest {
  private static final String CHUNKED =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "1c\r\nevent: ready\ndata: {\"a\":1}\n\n\r\n"
          + "34\r\nid: e-1\nevent: update\ndata: one\n\nid: e-2\ndata: two\n\n\r\n"
          + "18\r\nevent: heartbeat\ndata: \n\r\n1\r\n\n\r\n";
  private static final String PLAIN =
      "HTTP/1.1 200 OK\nContent-Type: text/event-stream\r\n\r\n: hi\n\nid: 1\ndata: one\n\n";

  private final List<String> events = new ArrayList<>();
  private final EventParser parser =
      new EventParser((kind, hasId, bytes, from, to) ->
          events.add(
              kind + (hasId ? "+" : "") + new String(bytes, from, to - from, US_ASCII).strip()));

  private void feed(String text, int step) {
    for (int at = 0; at < text.length(); at += step) {
      byte[] part = text.substring(at, Math.min(text.length(), at + step)).getBytes(US_ASCII);
      parser.feed(part, part.length);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 1_000})
  void readsChunksHoweverTheyAreCut(int step) {
    feed(CHUNKED, step);
    assertThat(events).containsExactly("READY{\"a\":1}", "UPDATE+one", "UPDATE+two", "HEARTBEAT");
    assertThat(parser.status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 1_000})
  void aCommentMeansThatTheStreamHasBegun(int step) {
    feed(PLAIN, step);
    assertThat(events).containsExactly("READY: hi", "UPDATE+one");
  }

  @Test
  void aStampComesBackAsItWasSent() {
    byte[] text = ("{\"message\":\"" + Stamp.text(1_234_567_890_123L, 42, 60)).getBytes(US_ASCII);
    int at = Stamp.find(text, 0, text.length);
    assertThat(Stamp.instantNanos(text, at)).isEqualTo(1_234_567_890_123L);
    assertThat(Stamp.number(text, at)).isEqualTo(42);
    assertThat(Stamp.find(text, at + 1, text.length)).isEqualTo(-1);
  }
}
