package dev.lastmile.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.ClientCursor;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.InvalidValueException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListRequestTest {
  private static final Channel CHANNEL = new Channel("7".repeat(32));
  private static final Cursor REACHED = new Cursor("0123456789abcdef", "3f9a2c4b5d6e", 7);
  private static final String CURSOR = ClientCursor.text(REACHED, CHANNEL);

  @Test
  void noParameters_everything() {
    ListRequest request = ListRequest.parse(CHANNEL, null, null, "", "");
    assertThat(request).isEqualTo(new ListRequest(null, null, -1, 0));
    assertThat(request.paged()).isFalse();
    assertThat(request.continues()).isFalse();
  }

  @Test
  void cursorAndLimit_firstPageAfterTheCursor() {
    ListRequest request = ListRequest.parse(CHANNEL, CURSOR, CURSOR, null, "1000");
    assertThat(request).isEqualTo(new ListRequest(REACHED, REACHED, -1, 1_000));
    assertThat(request.paged()).isTrue();
    assertThat(request.continues()).isFalse();
  }

  @Test
  void nextOfAPage_keepsItsEndAndTheHeadOfTheFirstPage() {
    ListRequest request =
        ListRequest.parse(CHANNEL, null, CURSOR, ListRequest.next(CHANNEL, REACHED, 0), "5");
    assertThat(request).isEqualTo(new ListRequest(REACHED, null, 0, 5));
    assertThat(request.continues()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "x, , , , after",
    ", x, , , shown",
    ", , x, , next",
    ", , _1, , next",
    ", , 0123456789abcdef-7, , next",
    ", , 0123456789abcdef-7_, , next",
    ", , 0123456789abcdef-7_-1, , next",
    ", , 0123456789abcdef-7_99999999999999999, , next",
    ", , , 0, limit",
    ", , , -1, limit",
    ", , , 1001, limit",
    ", , , 1.5, limit",
    ", , , 01, limit",
    ", , , '1,2', limit",
    ", , , 99999999999999999999, limit",
  })
  void invalid_namesTheParameter(
      String after, String shown, String next, String limit, String field) {
    assertThatThrownBy(() -> ListRequest.parse(CHANNEL, after, shown, next, limit))
        .isInstanceOfSatisfying(
            InvalidValueException.class, e -> assertThat(e.field()).isEqualTo(field));
  }
}
