package dev.lastmile.testkit.browser;

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
      new EventParser(
          new EventParser.Events() {
            @Override
            public void event(EventParser event, byte[] bytes, int from, int to) {
              events.add(
                  event.name()
                      + (event.hasId() ? "#" + event.id() : "")
                      + " "
                      + new String(bytes, from, to - from, US_ASCII));
            }

            @Override
            public void comment() {
              events.add("comment");
            }
          });

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
    assertThat(events)
        .containsExactly("ready {\"a\":1}", "update#e-1 one", "message#e-2 two", "heartbeat ");
    assertThat(parser.isEnded()).isFalse();
    assertThat(parser.status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 1_000})
  void aCommentMeansThatTheStreamHasBegun(int step) {
    feed(PLAIN, step);
    assertThat(events).containsExactly("comment", "message#1 one");
    assertThat(parser.isChunked()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 11, 1_000})
  void linesOfDataAreJoined_inAnyOrderOfFields(int step) {
    feed("HTTP/1.1 200 OK\r\n\r\ndata:a\nretry: 250\ndata: b\nid: 7\nevent: x\n\ndata\n\n", step);
    assertThat(events).containsExactly("x#7 a\nb", "message ");
    assertThat(parser.retryMillis()).isEqualTo(250);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1_000})
  void theLastChunkEndsTheAnswer(int step) {
    feed(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n", step);
    assertThat(events).containsExactly("message x");
    assertThat(parser.isEnded()).isTrue();
  }

  @Test
  void theHeadIsKept() {
    feed("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\r\n", 4);
    assertThat(parser.status()).isEqualTo(429);
    assertThat(parser.hasHead()).isTrue();
    assertThat(parser.head()).isEqualTo("HTTP/1.1 429 Too Many Requests\nRetry-After: 3\n");
  }
}
