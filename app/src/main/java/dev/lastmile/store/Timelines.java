package dev.lastmile.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
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
import org.springframework.stereotype.Component;

/** Reads the timelines of operations: the hops that each version has passed. */
@Component
public final class Timelines {
  private final RedisConnection redis;

  Timelines(RedisConnection redis) {
    this.redis = redis;
  }

  /**
   * The hops of the retained versions, by version, then in the order of the hops, then by time. The
   * times of two replicas may differ by the round trips of their clock comparisons, so time is not
   * the first criterion.
   */
  public List<Passed> read(OperationId id) {
    Map<String, byte[]> versions =
        redis.call(id.partition(), commands -> commands.hgetall(Keys.timeline(id)));
    List<Passed> passed = new ArrayList<>();
    versions.forEach((version, lines) ->
        passed.addAll(parse(Long.parseLong(version), new String(lines, UTF_8))));
    passed.sort(
        Comparator.comparingLong(Passed::version)
            .thenComparing(hop -> Hop.valueOf(hop.hop().toUpperCase(Locale.ROOT)))
            .thenComparing(Passed::at));
    return passed;
  }

  /** Parses the lines that the scripts write for one version. */
  public static List<Passed> parse(long version, String lines) {
    List<Passed> passed = new ArrayList<>();
    for (String line : lines.lines().toList()) {
      String[] field = line.split("\t", -1);
      Instant at = Instant.EPOCH.plus(Long.parseLong(field[1]), ChronoUnit.MICROS);
      passed.add(new Passed(version, field[0], at, field[2], field[3]));
    }
    return passed;
  }
}
