package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.telemetry.Hop;
import dev.lastmile.telemetry.Hop.Passed;
import dev.lastmile.updates.OperationId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads which hops the versions of an operation have passed. */
public final class Timelines {
  private final RedisLink link;

  Timelines(RedisLink link) {
    this.link = link;
  }

  /**
   * What the versions that are kept have passed, by version, then in the order of the hops. Times
   * of two replicas may differ by the round trips of their clock comparisons, so they do not order.
   */
  public List<Passed> read(OperationId id) {
    Map<String, byte[]> versions = link.call(commands -> commands.hgetall(Keys.timeline(id)));
    List<Passed> passed = new ArrayList<>();
    versions.forEach((version, lines) ->
        passed.addAll(parse(Long.parseLong(version), new String(lines, UTF_8))));
    passed.sort(
        Comparator.comparingLong(Passed::version)
            .thenComparing(hop -> Hop.valueOf(hop.hop().toUpperCase(Locale.ROOT)))
            .thenComparing(Passed::at));
    return passed;
  }

  /** Reads the lines that {@code apply.lua} and others write of one version. */
  static List<Passed> parse(long version, String lines) {
    List<Passed> passed = new ArrayList<>();
    for (String line : lines.lines().toList()) {
      String[] field = line.split("\t", -1);
      Instant at = Instant.EPOCH.plus(Long.parseLong(field[1]), ChronoUnit.MICROS);
      passed.add(new Passed(version, field[0], at, field[2], field[3]));
    }
    return passed;
  }
}
