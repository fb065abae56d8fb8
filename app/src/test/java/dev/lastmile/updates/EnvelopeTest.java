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
      "5\t\t"
          + CHANNEL
          + "\t"
          + ID
          + "\t0123456789abcdef\t3f9a2c4b5d6e\t7\t3\tcorrelation-1\t00-aa-bb-01\tk=v\t1700000000000001";

  @Test
  void channelIsReadWithoutTheRest() {
    assertThat(Envelope.channelOf(("5\t\t" + CHANNEL + "\tgarbage").getBytes(UTF_8)))
        .isEqualTo(CHANNEL);
  }

  @Test
  void everyFieldAndThePayloadAreRead() {
    Update update = Envelope.decode((HEADER + "\n{\"a\":\"é\"").getBytes(UTF_8));
    assertThat(update.channel().value()).isEqualTo(CHANNEL);
    assertThat(update.operationId().value()).isEqualTo(ID);
    assertThat(update.cursor()).isEqualTo(new Cursor("0123456789abcdef", "3f9a2c4b5d6e", 7));
    assertThat(update.version()).isEqualTo(3);
    assertThat(update.correlationId().value()).isEqualTo("correlation-1");
    assertThat(update.traceparent()).isEqualTo("00-aa-bb-01");
    assertThat(update.tracestate()).isEqualTo("k=v");
    assertThat(update.publishedAtMicros()).isEqualTo(1_700_000_000_000_001L);
    assertThat(new String(update.state(), UTF_8)).isEqualTo("{\"a\":\"é\"");
  }

  @Test
  void theTimeOfTheChangeIsThatOfRedis_andTheStreamAlsoHasTheTrace() {
    Update update = Envelope.decode((HEADER + "\n{\"a\":1").getBytes(UTF_8));
    String at = "2023-11-14T22:13:20.000Z";
    String changed = ",\"updatedAt\":\"" + at + "\",\"cursor\":\"" + update.clientCursor() + "\"";
    assertThat(new String(update.operationJson(), UTF_8)).isEqualTo("{\"a\":1" + changed + "}");
    assertThat(new String(update.eventEnd(update.clientCursor()), UTF_8))
        .isEqualTo(changed + ",\"traceparent\":\"00-aa-bb-01\",\"publishedAt\":\"" + at + "\"}");
  }

  @Test
  void whatWasKeptGoesOnInTheTermInWhichItIsRead() {
    Update update = Envelope.decode((HEADER + "\n{\"a\":1").getBytes(UTF_8));
    assertThat(update.readIn("0123456789abcdef", "3f9a2c4b5d6e")).isSameAs(update);
    Update moved = update.readIn("fedcba9876543210", "0a1b2c3d4e5f");
    assertThat(moved.cursor()).isEqualTo(new Cursor("fedcba9876543210", "0a1b2c3d4e5f", 7));
    assertThat(moved.state()).isSameAs(update.state());
    assertThat(moved.clientCursor()).startsWith("fedcba9876543210-7-0a1b2c3d4e5f.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "5",
        "6\t\tx\ty\n",
        "5\t\tx",
        "4\t\tx\n",
        "5\tno header end",
        "{\"json\":1}\n"
      })
  void whatIsNoEnvelopeIsRefused(String text) {
    assertThatThrownBy(
            () -> {
              Envelope.channelOf(text.getBytes(UTF_8));
              Envelope.decode(text.getBytes(UTF_8));
            })
        .isInstanceOf(IllegalArgumentException.class);
  }
}
