package dev.lastmile.updates;

import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;

/** Converts JSON from a request to the text that is stored and sent. */
public final class JsonText {
  /** Characters of the parser's message that are looked at: it may hold a name of any length. */
  private static final int MAX_MESSAGE = 1_000;

  private static final int MAX_REASON = 200;

  /** What the parser adds about its input and its own methods; it says nothing to a client. */
  private static final Pattern INTERNAL =
      Pattern.compile(" ?\\(?(start marker )?at \\[Source: [^]]*]\\)?|, from `[^`]*`");

  private JsonText() {}

  /**
   * The compact text of a document, without line breaks.
   *
   * @param field its location in the request
   * @throws InvalidValueException if a string in it is not valid Unicode
   */
  public static String of(String field, JsonNode json) {
    try {
      String text = json.toString();
      if (isUnicode(text)) {
        return text;
      }
    } catch (JacksonException e) {
      // An unpaired surrogate cannot be written: reported below.
    }
    throw new InvalidValueException(field, "JSON with strings in valid Unicode");
  }

  /** What the parser says, for example which name occurs twice, and where. */
  public static String reason(JacksonException e) {
    String message = String.valueOf(e.getOriginalMessage());
    String begin = message.substring(0, Math.min(message.length(), MAX_MESSAGE));
    String plain = INTERNAL.matcher(begin).replaceAll("");
    String cut = repaired(plain.substring(0, Math.min(plain.length(), MAX_REASON)));
    TokenStreamLocation at = e.getLocation();
    return at == null
        ? cut
        : cut + " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")";
  }

  /** The text with U+FFFD in place of each unpaired surrogate, which UTF-8 cannot encode. */
  public static String repaired(String text) {
    if (isUnicode(text)) {
      return text;
    }
    StringBuilder repaired = new StringBuilder(text.length());
    text.codePoints()
        .map(c -> Character.getType(c) == Character.SURROGATE ? '\ufffd' : c)
        .forEach(repaired::appendCodePoint);
    return repaired.toString();
  }

  /** Whether the text has no unpaired surrogate, which UTF-8 cannot encode. */
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
