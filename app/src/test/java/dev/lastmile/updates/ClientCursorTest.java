package dev.lastmile.updates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientCursorTest {
  private static final String EPOCH = "0123456789abcdef";
  private static final String TERM = "3f9a2c4b5d6e";
  private static final Channel CHANNEL = new Channel("7".repeat(32));
  private static final Channel OTHER = new Channel("7" + "8".repeat(31));
  private static final Cursor CURSOR = new Cursor(EPOCH, TERM, 42);

  @Test
  void cursorIsReadAsItIsWritten() {
    String text = ClientCursor.text(CURSOR, CHANNEL);
    assertThat(text).matches(EPOCH + "-42-" + TERM + "\\.[0-9a-f]{8}");
    assertThat(ClientCursor.parse("after", text, CHANNEL)).isEqualTo(CURSOR);
  }

  @Test
  void cursorOfAnotherChannelOfThePartitionLeadsNowhere() {
    String text = ClientCursor.text(CURSOR, OTHER);
    assertThat(ClientCursor.parse("after", text, CHANNEL)).isEqualTo(ClientCursor.NOWHERE);
  }

  @Test
  void cursorThatNamesNoChannelLeadsNowhere() {
    assertThat(ClientCursor.parse("after", EPOCH + "-42", CHANNEL)).isEqualTo(ClientCursor.NOWHERE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "42",
        EPOCH,
        EPOCH + "-",
        EPOCH + "--1",
        EPOCH + "-01",
        EPOCH + "-99999999999999999",
        "0123456789ABCDEF-1",
        EPOCH + "-1\n",
        EPOCH + "-1-0",
        EPOCH + "-1-0.",
        EPOCH + "-1-0.0123456",
        EPOCH + "-1-0.012345678",
        EPOCH + "-1-.01234567",
        EPOCH + "-1-0.0123456G"
      })
  void whatIsNoCursorIsRefusedWithItsField(String text) {
    assertThatThrownBy(() -> ClientCursor.parse("after", text, CHANNEL))
        .isInstanceOfSatisfying(
            InvalidValueException.class, e -> assertThat(e.field()).isEqualTo("after"));
  }
}
