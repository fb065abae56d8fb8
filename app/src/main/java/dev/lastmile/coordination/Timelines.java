package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.telemetry.Hop;
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
   * One passage of one version.
   *
   * @param hop wire name of the hop
   * @param at Redis time
   * @param replica where it happened
   * @param outcome empty where the hop has none yet
   */
  public record Passage(long version, String hop, Instant at, String replica, String outcome) {}

  /**
   * All passages of the versions that are kept, by version, then in the order of the hops. Times of
   * two replicas may differ by the round trips of their clock comparisons, so they do not order.
   */
  public List<Passage> read(OperationId id) {
    Map<String, byte[]> versions = link.call(commands -> commands.hgetall(Keys.timeline(id)));
    List<Passage> passages = new ArrayList<>();
    versions.forEach((version, lines) -> {
      for (String line : new String(lines, UTF_8).lines().toList()) {
        String[] field = line.split("\t", -1);
        Instant at = Instant.EPOCH.plus(Long.parseLong(field[1]), ChronoUnit.MICROS);
        passages.add(new Passage(Long.parseLong(version), field[0], at, field[2], field[3]));
      }
    });
    passages.sort(
        Comparator.comparingLong(Passage::version)
            .thenComparing(passage -> Hop.valueOf(passage.hop().toUpperCase(Locale.ROOT)))
            .thenComparing(Passage::at));
    return passages;
  }
}
