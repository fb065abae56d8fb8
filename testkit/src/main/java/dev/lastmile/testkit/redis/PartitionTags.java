package dev.lastmile.testkit.redis;

import java.util.List;

/**
 * The hash tags of the partitions, as {@code docs/reference/redis-keys.md} has them. The tests do
 * not take them from the service, which they check.
 */
public final class PartitionTags {
  /** By partition. */
  public static final List<String> ALL =
      List.of(
          "{p0pw}", "{p1qw}", "{p2rw}", "{p3sw}", "{p4tw}", "{p5uw}", "{p6vw}", "{p7ww}", "{p8hs}",
          "{p9is}", "{paoc}", "{pbul}", "{pcle}", "{pdsl}", "{pekc}", "{pfql}");

  /** The tag of the first partition, whose keys also have what is stored once for all. */
  public static final String FIRST = ALL.getFirst();

  private PartitionTags() {}

  /** The tag of an operation's keys. */
  public static String ofOperation(String id) {
    return ALL.get(Character.digit(id.charAt(2), 16));
  }
}
