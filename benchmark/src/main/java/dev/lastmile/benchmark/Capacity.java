package dev.lastmile.benchmark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Calculates what a number of streams and updates needs, from constants that the benchmark has
 * measured. It needs nothing but a JDK:
 *
 * <pre>{@code
 * java benchmark/src/main/java/dev/lastmile/benchmark/Capacity.java --streams 1000000 --updates 50000 \
 *     --replicas 100 --primaries 8
 * }</pre>
 *
 * <p>{@code docs/explanation/capacity.md} explains the model.
 */
public final class Capacity {
  /** The partitions; more primaries than these have nothing to do. */
  private static final int PARTITIONS = 16;

  /** The most replicas that are tried. */
  private static final int MOST_REPLICAS = 10_000;

  /** A good share of a limit. */
  private static final double HALF = 0.5;

  /** Of each replica in each partition: its inbox, and the updates for all. */
  private static final int CHANNELS = 2;

  private static final String HALF_NEEDS = "At most half of each limit: ";

  private static final double MEGABYTE = 1e6;
  private static final double SECOND_MICROS = 1e6;
  private static final double PERCENT = 100;

  /** The constants: what {@code benchmark/run --groups constants,idle} measures. */
  enum Cost {
    REDIS_UPDATE(147, "µs", "Redis: an update is stored, published to one owner, and settled"),
    REDIS_OWNER(32, "µs", "Redis: a further owner of the same update"),
    REDIS_ACK(80, "µs", "Redis: an ack"),
    REDIS_STREAM(0.2, "µs/s", "Redis: an open stream"),
    REDIS_REPLICA(3_700, "µs/s", "Redis: leases, canaries and clock of a replica"),
    REDIS_REST(4_000, "µs/s", "Redis: sweeps, totals and jobs, for all replicas together"),
    REDIS_STREAM_BYTES(225, "B", "Redis: memory of an open stream with a channel of its own"),
    REDIS_OPERATION_BYTES(2_500, "B", "Redis: memory of a new operation"),
    REDIS_CHANGE_BYTES(288, "B", "Redis: memory of each update of an operation"),
    REPLICA_CALLBACK(184, "µs", "replica: a callback is checked and stored"),
    REPLICA_DELIVERY(66, "µs", "replica: an update is written to a stream and settled"),
    REPLICA_ACK(490, "µs", "replica: an ack"),
    REPLICA_STREAM(0.8, "µs/s", "replica: an open stream, with heartbeats"),
    REPLICA_REST(16_000, "µs/s", "replica: without streams"),
    REPLICA_BYTES(276_000_000, "B", "replica: memory without streams"),
    REPLICA_STREAM_BYTES(6_140, "B", "replica: memory of a stream, without buffers of the kernel"),
    INTO_REDIS_BYTES(1_680, "B", "network: to Redis, for an update of 200 bytes"),
    FROM_REDIS_BYTES(724, "B", "network: from Redis, for an update and each owner");

    private final double value;
    final String unit;
    final String meaning;

    Cost(double value, String unit, String meaning) {
      this.value = value;
      this.unit = unit;
      this.meaning = meaning;
    }
  }

  /** What is asked, and its defaults. */
  private enum Option {
    STREAMS(10_000, "open streams, each with a channel of its own"),
    UPDATES(1_000, "updates per second, each acked by one browser"),
    REPLICAS(3, "replicas"),
    PRIMARIES(1, "primaries of Redis"),
    OWNERS(1, "replicas with streams of the same channel, for each update"),
    CORES(2, "cores of a replica; a primary has one for commands"),
    CORE_SPEED(100, "speed of a core, in percent of that of the measured machine"),
    MEMORY(2_000, "memory of a replica, MB"),
    MAXMEMORY(16_000, "maxmemory of a primary, MB"),
    KEPT(86_400, "lastmile.retention.after-final, s"),
    KEPT_PER_CHANNEL(200, "lastmile.retention.operations-per-channel"),
    CHANGES(4, "updates of one operation"),
    MAX_STREAMS(20_000, "lastmile.stream.max-connections"),
    MAX_CLIENTS(10_000, "maxclients of Redis"),
    NETWORK(125, "network of each machine, MB/s");

    private final long usual;
    private final String meaning;

    Option(long usual, String meaning) {
      this.usual = usual;
      this.meaning = meaning;
    }

    private String flag() {
      return "--" + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * How much of something is used.
   *
   * @param limit infinite, if there is none
   * @param unit of {@code used} and {@code limit}
   */
  private record Use(String what, double used, double limit, String unit) {
    /** What has no limit. */
    Use(String what, double used, String unit) {
      this(what, used, Double.POSITIVE_INFINITY, unit);
    }

    private double share() {
      return used / limit;
    }

    private String row() {
      String amount = amount(used, unit);
      return Double.isInfinite(limit)
          ? String.format(Locale.ROOT, "| %s | %s | | |", what, amount)
          : String.format(
              Locale.ROOT,
              "| %s | %s | %s | %.0f %% |",
              what,
              amount,
              amount(limit, unit),
              share() * 100);
    }
  }

  private static String amount(double value, String unit) {
    String format = unit.isEmpty() || value >= 10 ? "%,.0f %s" : "%,.2f %s";
    return String.format(Locale.ROOT, format, value, unit).strip();
  }

  private final Map<Option, Long> options;

  private Capacity(Map<Option, Long> options) {
    this.options = options;
  }

  public static void main(String[] arguments) {
    List<String> given = List.of(arguments);
    if (given.equals(List.of("--help"))) {
      System.out.print(options());
    } else if (given.equals(List.of("--constants"))) {
      System.out.print(constants());
    } else {
      try {
        Capacity capacity = parse(arguments);
        System.out.print(capacity.report());
        System.exit(capacity.tightest().share() > 1 ? 1 : 0);
      } catch (IllegalArgumentException e) {
        System.err.println(e.getMessage());
        System.exit(2);
      }
    }
  }

  /** All options with their meanings and defaults. */
  private static String options() {
    StringBuilder known = new StringBuilder("Options, with their defaults:\n");
    for (Option option : Option.values()) {
      known.append(
          String.format(
              Locale.ROOT, "  %-20s %s (%d)%n", option.flag(), option.meaning, option.usual));
    }
    known.append("  --constants          prints the constants\n");
    known.append("Ends with 0; with 1 if the load is too much; with 2 if an option is wrong.\n");
    return known.toString();
  }

  /** The table of the constants. */
  static String constants() {
    StringBuilder table = new StringBuilder("| Cost of | |\n|---|---:|\n");
    for (Cost cost : Cost.values()) {
      table.append(
          String.format(Locale.ROOT, "| %s | %s |%n", cost.meaning, amount(cost.value, cost.unit)));
    }
    return table.toString();
  }

  /**
   * The report for these options, as the command line has them.
   *
   * @throws IllegalArgumentException as {@link #parse}
   */
  static String report(String... arguments) {
    return parse(arguments).report();
  }

  /**
   * The calculation for these options.
   *
   * @throws IllegalArgumentException if an option is unknown, given twice or out of its limits
   */
  private static Capacity parse(String... arguments) {
    Map<Option, Long> options = new EnumMap<>(Option.class);
    for (int i = 0; i < arguments.length; i += 2) {
      Option option = option(arguments[i]);
      if (i + 1 == arguments.length) {
        throw new IllegalArgumentException(option.flag() + ": has no value");
      }
      if (options.put(option, number(option, arguments[i + 1])) != null) {
        throw new IllegalArgumentException(option.flag() + ": is given twice");
      }
    }
    for (Option option : Option.values()) {
      options.putIfAbsent(option, option.usual);
    }
    if (options.get(Option.PRIMARIES) > PARTITIONS) {
      throw new IllegalArgumentException(
          "--primaries: at most " + PARTITIONS + ", the number of partitions");
    }
    if (options.get(Option.OWNERS) > options.get(Option.REPLICAS)) {
      throw new IllegalArgumentException("--owners: at most the number of replicas");
    }
    return new Capacity(options);
  }

  private static Option option(String flag) {
    for (Option option : Option.values()) {
      if (option.flag().equals(flag)) {
        return option;
      }
    }
    throw new IllegalArgumentException(flag + ": not an option. " + options());
  }

  private static long number(Option option, String text) {
    if (!text.matches("[1-9][0-9]{0,11}")) {
      throw new IllegalArgumentException(option.flag() + ": a whole number from 1 to 999999999999");
    }
    return Long.parseLong(text);
  }

  private long of(Option option) {
    return options.get(option);
  }

  private String report() {
    StringBuilder report = new StringBuilder();
    report.append("| Each has | used | limit | share |\n|---|---:|---:|---:|\n");
    uses().forEach(use -> report.append(use.row()).append('\n'));
    Use first = tightest();
    report.append(
        String.format(
            Locale.ROOT,
            first.share() > 1
                ? "%nToo much: %s. It is enough for %.2g times this load.%n"
                : "%nFirst limit: %s, at %.2f times this load.%n",
            first.what(),
            1 / first.share()));
    return report.append(needed()).toString();
  }

  /** All uses, the largest share of a limit first. */
  private List<Use> uses() {
    List<Use> uses = new ArrayList<>(primary());
    uses.addAll(replica());
    uses.sort(Comparator.comparingDouble(Use::share).reversed());
    return uses;
  }

  private Use tightest() {
    return uses().getFirst();
  }

  /** The fewest replicas, and with them the fewest primaries, that use half of each limit. */
  private String needed() {
    for (long replicas = of(Option.OWNERS); replicas <= MOST_REPLICAS; replicas++) {
      Capacity more = with(Option.REPLICAS, replicas);
      if (fits(more.replica())) {
        for (long primaries = 1; primaries <= PARTITIONS; primaries++) {
          if (fits(more.with(Option.PRIMARIES, primaries).primary())) {
            return HALF_NEEDS + "--replicas " + replicas + " --primaries " + primaries + "\n";
          }
        }
        return HALF_NEEDS + "--replicas " + replicas + ", and larger primaries than these\n";
      }
    }
    return HALF_NEEDS + "more than " + MOST_REPLICAS + " replicas\n";
  }

  private static boolean fits(List<Use> uses) {
    return uses.stream().allMatch(use -> use.share() <= HALF);
  }

  private Capacity with(Option option, long value) {
    Map<Option, Long> changed = new EnumMap<>(options);
    changed.put(option, value);
    return new Capacity(changed);
  }

  /** Of the primary with most partitions. */
  private List<Use> primary() {
    double partitions = Math.ceil((double) PARTITIONS / of(Option.PRIMARIES));
    double share = partitions / PARTITIONS;
    double updates = of(Option.UPDATES);
    double changes = of(Option.CHANGES);
    double replicas = of(Option.REPLICAS);
    double rest =
        of(Option.STREAMS) * Cost.REDIS_STREAM.value
            + replicas * Cost.REDIS_REPLICA.value
            + Cost.REDIS_REST.value;
    double micros =
        rest
            + updates
                * (Cost.REDIS_UPDATE.value
                    + (of(Option.OWNERS) - 1) * Cost.REDIS_OWNER.value
                    + Cost.REDIS_ACK.value);
    double operations =
        Math.min(
            updates / changes * of(Option.KEPT),
            (double) of(Option.STREAMS) * of(Option.KEPT_PER_CHANNEL));
    double bytes =
        of(Option.STREAMS) * Cost.REDIS_STREAM_BYTES.value
            + operations
                * (Cost.REDIS_OPERATION_BYTES.value + changes * Cost.REDIS_CHANGE_BYTES.value);
    double traffic =
        updates * (Cost.INTO_REDIS_BYTES.value + of(Option.OWNERS) * Cost.FROM_REDIS_BYTES.value);
    // For commands and for subscriptions; and for a moment one to ask a node of a cluster.
    double connections = of(Option.PRIMARIES) == 1 ? 2 : 3;
    return List.of(
        new Use("primary: CPU of the command thread", share * cores(micros), 1, "cores"),
        new Use("primary: memory", share * bytes / MEGABYTE, of(Option.MAXMEMORY), "MB"),
        new Use("primary: network", share * traffic / MEGABYTE, of(Option.NETWORK), "MB/s"),
        new Use("primary: connections", connections * replicas, of(Option.MAX_CLIENTS), ""),
        new Use("primary: subscriptions", CHANNELS * partitions * replicas, ""),
        new Use("primary: CPU at rest", share * cores(rest), "cores"));
  }

  private List<Use> replica() {
    double replicas = of(Option.REPLICAS);
    double streams = of(Option.STREAMS) / replicas;
    double updates = of(Option.UPDATES) / replicas;
    double rest = streams * Cost.REPLICA_STREAM.value + Cost.REPLICA_REST.value;
    double micros =
        rest
            + updates
                * (Cost.REPLICA_CALLBACK.value
                    + of(Option.OWNERS) * Cost.REPLICA_DELIVERY.value
                    + Cost.REPLICA_ACK.value);
    double bytes = Cost.REPLICA_BYTES.value + streams * Cost.REPLICA_STREAM_BYTES.value;
    // To Redis, and for each owner from Redis and to the browser.
    double traffic =
        updates
            * (Cost.INTO_REDIS_BYTES.value + 2 * of(Option.OWNERS) * Cost.FROM_REDIS_BYTES.value);
    return List.of(
        new Use("replica: CPU", cores(micros), of(Option.CORES), "cores"),
        new Use("replica: memory", bytes / MEGABYTE, of(Option.MEMORY), "MB"),
        new Use("replica: network", traffic / MEGABYTE, of(Option.NETWORK), "MB/s"),
        new Use("replica: streams", streams, of(Option.MAX_STREAMS), ""),
        new Use("replica: connections to Redis", 2L * of(Option.PRIMARIES), ""),
        new Use("replica: CPU at rest", cores(rest), "cores"));
  }

  /**
   * How many cores of the given speed are busy.
   *
   * @param micros CPU time per second on the measured machine, in microseconds
   */
  private double cores(double micros) {
    return micros / SECOND_MICROS * PERCENT / of(Option.CORE_SPEED);
  }
}
