package dev.lastmile.updates;

import java.util.List;
import java.util.stream.IntStream;

/**
 * One of {@value #COUNT} groups of channels.
 *
 * <p>All Redis keys of a channel carry the hash tag of its partition, so one script may access them
 * all on Redis Cluster (<a
 * href="https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags">hash
 * tags</a>). The number of partitions never changes: it is part of every stored key and every
 * operation id.
 *
 * <p>The letters of a tag place its slot near the middle of one of sixteen equal ranges of slots.
 * So up to sixteen primaries with equal ranges get nearly the same number of partitions. Another
 * tag is another {@code Layout}.
 *
 * @param index 0 to {@code COUNT - 1}
 */
public record Partition(int index) {
  /** The number of partitions. */
  public static final int COUNT = 16;

  /** All partitions, ascending. */
  public static final List<Partition> ALL =
      IntStream.range(0, COUNT).mapToObj(Partition::new).toList();

  private static final List<String> TAGS =
      List.of(
          "{p0pw}", "{p1qw}", "{p2rw}", "{p3sw}", "{p4tw}", "{p5uw}", "{p6vw}", "{p7ww}", "{p8hs}",
          "{p9is}", "{paoc}", "{pbul}", "{pcle}", "{pdsl}", "{pekc}", "{pfql}");

  /** The position of the digit in a tag. */
  private static final int DIGIT = 2;

  public Partition {
    if (index < 0 || index >= COUNT) {
      throw new IllegalArgumentException("partition " + index);
    }
  }

  /** The partition of a key, whose tag has the digit. */
  public static Partition ofKey(String key) {
    return ofDigit(key.charAt(DIGIT));
  }

  /** The partition of a hexadecimal digit. */
  static Partition ofDigit(char digit) {
    return ALL.get(Character.digit(digit, 16));
  }

  /** The digit of this partition in ids. */
  char digit() {
    return Character.forDigit(index, 16);
  }

  /** The hash tag that starts every key of this partition, for example <code>{p7ww}</code>. */
  public String tag() {
    return TAGS.get(index);
  }
}
