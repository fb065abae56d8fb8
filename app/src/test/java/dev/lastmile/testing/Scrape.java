package dev.lastmile.testing;

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

  static Scrape of(String text) {
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
        "coordination_received_total",
        sum("coordination_received_total"),
        "coordination_messages_total",
        sum("coordination_messages_total"));
  }

  /** Fails unless every stream that was opened is closed or still there. Holds at rest. */
  public void assertStreamsBalance() {
    assertEqual(
        "stream_opened_total",
        sum("stream_opened_total"),
        "stream_closed_total + stream_connections",
        sum("stream_closed_total") + sum("stream_connections"));
  }

  private void assertEqual(String left, long first, String right, long second) {
    for (String name : (left + " + " + right).split(" \\+ ")) {
      if (samples(name).isEmpty()) {
        throw new AssertionError("no " + name);
      }
    }
    if (first != second) {
      throw new AssertionError("%s = %d, %s = %d".formatted(left, first, right, second));
    }
  }
}
