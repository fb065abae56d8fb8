package dev.lastmile.testkit.telemetry;

import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.cluster.Metrics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One answer of a replica's Prometheus endpoint, sample by sample, and the equations that its
 * process counters obey when nothing is on its way.
 */
public final class Scrape {
  private static final Pattern SAMPLE =
      Pattern.compile("(?m)^([a-zA-Z_:][\\w:]*)(?:\\{(.*?)})? ([^ #\\n]+)");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** One series and its value. */
  record Sample(String name, Map<String, String> labels, double value) {
    String label(String label) {
      String text = labels.get(label);
      if (text == null) {
        throw new IllegalStateException(name + " without " + label + ": " + labels);
      }
      return text;
    }
  }

  private final String text;

  private Scrape(String text) {
    this.text = text;
  }

  public static Scrape of(LastmileProcess replica) {
    return of(Metrics.of(replica).text());
  }

  public static Scrape of(String text) {
    return new Scrape(text);
  }

  List<Sample> samples(String name) {
    return SAMPLE
        .matcher(text)
        .results()
        .filter(sample -> sample.group(1).equals(name))
        .map(sample ->
            new Sample(name, labels(sample.group(2)), Double.parseDouble(sample.group(3))))
        .toList();
  }

  private static Map<String, String> labels(String text) {
    Map<String, String> labels = new HashMap<>();
    Matcher matcher = LABEL.matcher(text == null ? "" : text);
    while (matcher.find()) {
      labels.put(matcher.group(1), matcher.group(2));
    }
    return labels;
  }

  /** All series of a name together; 0 if there is none. */
  public long sum(String name) {
    return Math.round(samples(name).stream().mapToDouble(Sample::value).sum());
  }

  /**
   * Fails unless every update that this replica received was dispatched, had no audience, or was
   * dropped. Holds at rest.
   */
  public void assertReceivedBalances() {
    assertEqual(
        "lastmile_pubsub_received_total",
        sum("lastmile_pubsub_received_total"),
        "lastmile_pubsub_messages_total",
        sum("lastmile_pubsub_messages_total"));
  }

  /** Fails unless every stream that was opened is closed or still there. Holds at rest. */
  public void assertStreamsBalance() {
    assertEqual(
        "lastmile_stream_opened_total",
        sum("lastmile_stream_opened_total"),
        "lastmile_stream_closed_total + lastmile_stream_connections",
        sum("lastmile_stream_closed_total") + sum("lastmile_stream_connections"));
  }

  private void assertEqual(String left, long first, String right, long second) {
    for (String name : (left + " + " + right).split(" \\+ ", -1)) {
      if (samples(name).isEmpty()) {
        throw new AssertionError("no " + name);
      }
    }
    if (first != second) {
      throw new AssertionError("%s = %d, %s = %d".formatted(left, first, right, second));
    }
  }
}
