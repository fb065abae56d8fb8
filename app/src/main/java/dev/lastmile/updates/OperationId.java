package dev.lastmile.updates;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The id of an asynchronous operation.
 *
 * <p>It contains its partition, so a callback finds the keys without a lookup. It also contains 128
 * random bits, so it cannot be guessed.
 *
 * @param value {@code op}, the partition's digit, {@code -}, 32 hexadecimal digits
 */
public record OperationId(String value) {
  private static final String EXAMPLE = "op0-00000000000000000000000000000000";
  private static final SecureRandom RANDOM = new SecureRandom();

  public OperationId {
    if (!isId(value)) {
      throw new IllegalArgumentException("not an operation id: " + value);
    }
  }

  /** A new id in the partition of the owner's channel. */
  public static OperationId random(Channel channel) {
    byte[] bits = new byte[16];
    RANDOM.nextBytes(bits);
    return new OperationId(
        "op" + channel.partition().digit() + "-" + HexFormat.of().formatHex(bits));
  }

  /** The parsed id; empty if the text does not have the form of an id. */
  public static Optional<OperationId> parse(String text) {
    return isId(text) ? Optional.of(new OperationId(text)) : Optional.empty();
  }

  /**
   * Without a regular expression, which would take as long as the signature check of a callback.
   */
  private static boolean isId(String text) {
    if (text.length() != EXAMPLE.length()) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char expected = EXAMPLE.charAt(i);
      char c = text.charAt(i);
      boolean fits =
          expected == '0' ? (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') : c == expected;
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  /** The partition of this operation's keys. */
  public Partition partition() {
    return Partition.ofDigit(value.charAt(2));
  }

  @Override
  public String toString() {
    return value;
  }
}
