package dev.lastmile.updates;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EnvelopeTest {
  private static final String CHANNEL = "0".repeat(32);
  private static final String ID = "op0-" + "1".repeat(32);
  private static final String HEADER =
      "4\t\t"
          + CHANNEL
          + "\t"
          + ID
          + "\t0123456789abcdef\t7\t3\tcorrelation-1\t00-aa-bb-01\tk=v\t1700000000000001";

  @Test
  void channelIsReadWithoutTheRest() {
    assertThat(Envelope.channelOf(("4\t\t" + CHANNEL + "\tgarbage").getBytes(UTF_8)))
        .isEqualTo(CHANNEL);
  }

  @Test
  void everyFieldAndThePayloadAreRead() {
    Update update = Envelope.decode((HEADER + "\n{\"a\":\"é\"").getBytes(UTF_8));
    assertThat(update.channel().value()).isEqualTo(CHANNEL);
    assertThat(update.operationId().value()).isEqualTo(ID);
    assertThat(update.cursor()).isEqualTo(new Cursor("0123456789abcdef", 7));
    assertThat(update.version()).isEqualTo(3);
    assertThat(update.correlationId().value()).isEqualTo("correlation-1");
    assertThat(update.traceparent()).isEqualTo("00-aa-bb-01");
    assertThat(update.tracestate()).isEqualTo("k=v");
    assertThat(update.publishedAtMicros()).isEqualTo(1_700_000_000_000_001L);
    assertThat(new String(update.state(), UTF_8)).isEqualTo("{\"a\":\"é\"");
  }

  @Test
  void theTimeOfTheChangeIsThatOfRedis_andTheStreamAlsoHasTheCursorAndTheTrace() {
    Update update = Envelope.decode((HEADER + "\n{\"a\":1").getBytes(UTF_8));
    String at = "2023-11-14T22:13:20.000Z";
    assertThat(new String(update.operationJson(), UTF_8))
        .isEqualTo("{\"a\":1,\"updatedAt\":\"" + at + "\"}");
    assertThat(new String(update.eventEnd(update.clientCursor()), UTF_8))
        .isEqualTo(
            ",\"updatedAt\":\""
                + at
                + "\",\"cursor\":\""
                + update.clientCursor()
                + "\",\"traceparent\":\"00-aa-bb-01\","
                + "\"publishedAt\":\""
                + at
                + "\"}");
  }

  @Test
  void whatWasKeptOverARenewalGoesOnInTheNewEpoch() {
    Update update = Envelope.decode((HEADER + "\n{\"a\":1").getBytes(UTF_8));
    assertThat(update.inEpoch("0123456789abcdef")).isSameAs(update);
    Update moved = update.inEpoch("fedcba9876543210");
    assertThat(moved.cursor()).isEqualTo(new Cursor("fedcba9876543210", 7));
    assertThat(moved.state()).isSameAs(update.state());
    assertThat(moved.clientCursor()).startsWith("fedcba9876543210-7-");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "4", "2\t\tx\ty\n", "4\t\tx", "4\tno header end", "{\"json\":1}\n"})
  void whatIsNoEnvelopeIsRefused(String text) {
    assertThatThrownBy(
            () -> {
              Envelope.channelOf(text.getBytes(UTF_8));
              Envelope.decode(text.getBytes(UTF_8));
            })
        .isInstanceOf(IllegalArgumentException.class);
  }
}
