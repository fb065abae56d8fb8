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
 * @param index 0 to {@code COUNT - 1}
 */
public record Partition(int index) {
  /** The number of partitions. */
  public static final int COUNT = 16;

  /** All partitions, ascending. */
  public static final List<Partition> ALL =
      IntStream.range(0, COUNT).mapToObj(Partition::new).toList();

  private static final List<String> TAGS =
      IntStream.range(0, COUNT).mapToObj(index -> "{p" + index + "}").toList();

  public Partition {
    if (index < 0 || index >= COUNT) {
      throw new IllegalArgumentException("partition " + index);
    }
  }

  /** The partition of a hexadecimal digit. */
  static Partition ofDigit(char digit) {
    return ALL.get(Character.digit(digit, 16));
  }

  /** The digit of this partition in ids. */
  char digit() {
    return Character.forDigit(index, 16);
  }

  /** The hash tag that starts every key of this partition, for example <code>{p7}</code>. */
  public String tag() {
    return TAGS.get(index);
  }
}
