package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StampTest {
  @Test
  void aStampComesBackAsItWasSent() {
    byte[] text = ("{\"message\":\"" + Stamp.text(1_234_567_890_123L, 42, 60)).getBytes(US_ASCII);
    int at = Stamp.find(text, 0, text.length);
    assertThat(Stamp.instantNanos(text, at)).isEqualTo(1_234_567_890_123L);
    assertThat(Stamp.number(text, at)).isEqualTo(42);
    assertThat(Stamp.find(text, at + 1, text.length)).isEqualTo(-1);
  }
}
