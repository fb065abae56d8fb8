package dev.lastmile.updates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.json.JsonMapper;

class JsonTextTest {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private static String reason(String json) {
    return JsonText.reason(
        catchThrowableOfType(JacksonException.class, () -> MAPPER.readTree(json)));
  }

  private static String withNameTwice(String name) {
    return "{\"" + name + "\":1,\"" + name + "\":2}";
  }

  @Test
  void aReasonSaysWhatAndWhere_andNothingAboutTheParser() {
    assertThat(reason("{\"a\":1,\"a\":2}"))
        .startsWith("Duplicate Object property \"a\" (line 1, column ");
    assertThat(reason("{\"a\":[1")).startsWith("Unexpected end-of-input").doesNotContain("Source");
    assertThat(reason("[".repeat(2_000))).contains("nesting depth").doesNotContain("Constraints");
  }

  @Test
  void aReasonIsShortAndValidUnicodeWhateverTheNameIs() {
    for (String shift : new String[] {"", "x"}) {
      String emojis = reason(withNameTwice(shift + "\\ud83d\\ude00".repeat(500)));
      assertThat(JsonText.isUnicode(emojis)).isTrue();
      assertThat(emojis).hasSizeLessThan(250);
    }
    assertThat(reason(withNameTwice(" ".repeat(40_000)))).hasSizeLessThan(250);
  }
}
