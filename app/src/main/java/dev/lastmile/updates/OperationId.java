package dev.lastmile.updates;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Names one asynchronous operation. It carries its partition, so that a callback finds the keys
 * without a lookup, and 128 random bits, so that it cannot be guessed.
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

  /** A new id in the partition of the channel that will own the operation. */
  public static OperationId random(Channel channel) {
    byte[] bits = new byte[16];
    RANDOM.nextBytes(bits);
    return new OperationId(
        "op" + channel.partition().digit() + "-" + HexFormat.of().formatHex(bits));
  }

  /** The id that a text from outside names; empty if no id looks like this. */
  public static Optional<OperationId> parse(String text) {
    return isId(text) ? Optional.of(new OperationId(text)) : Optional.empty();
  }

  /** By hand: every callback asks, and a pattern takes as long as its signature. */
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

  /** Where the keys of this operation live. */
  public Partition partition() {
    return Partition.ofDigit(value.charAt(2));
  }

  @Override
  public String toString() {
    return value;
  }
}
