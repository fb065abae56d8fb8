package dev.lastmile.testkit.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a Prometheus endpoint, mostly that of a replica, says at one moment. */
public final class Metrics {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final String text;

  private Metrics(String text) {
    this.text = text;
  }

  public static Metrics of(LastmileProcess process) {
    return of(process.management().resolve("/actuator/prometheus"));
  }

  /** What any endpoint in Prometheus' text format says. */
  static Metrics of(URI endpoint) {
    try {
      HttpRequest request = HttpRequest.newBuilder(endpoint).build();
      return new Metrics(HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The whole answer. */
  public String text() {
    return text;
  }

  /**
   * The sum of all series of this name that have all these labels, written as in the text format.
   */
  public double sum(String name, String... labels) {
    return text.lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .filter(line -> Arrays.stream(labels).allMatch(line::contains))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /** The values of a label of all series of this name that are above zero. */
  public Set<String> labelsAboveZero(String name, String label) {
    return Pattern.compile("(?m)^" + name + "\\{.*?" + label + "=\"([^\"]*)\".*\\} (?!0\\.0$).*$")
        .matcher(text)
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  public boolean has(String name) {
    return text.lines().anyMatch(line -> line.startsWith(name + "{"));
  }
}
