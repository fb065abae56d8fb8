package dev.lastmile.updates;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Turns what came as JSON from outside into the text that is stored and sent. */
public final class JsonText {
  private JsonText() {}

  /**
   * The compact text of a document, without line breaks.
   *
   * @param field where it stood
   * @throws InvalidValueException if a text in it is not valid Unicode
   */
  public static String of(String field, JsonNode json) {
    try {
      String text = json.toString();
      if (isUnicode(text)) {
        return text;
      }
    } catch (JacksonException e) {
      // Half of a surrogate pair cannot be written: said below.
    }
    throw new InvalidValueException(field, "JSON whose texts are valid Unicode");
  }

  /** Whether no half of a surrogate pair stands alone, which no UTF-8 can carry. */
  public static boolean isUnicode(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        i++;
        if (i == text.length() || !Character.isSurrogatePair(c, text.charAt(i))) {
          return false;
        }
      }
    }
    return true;
  }
}
