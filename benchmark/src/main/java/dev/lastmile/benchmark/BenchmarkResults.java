package dev.lastmile.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** All figures of a run, as a table and as JSON. Any thread. */
final class BenchmarkResults {
  private static final String HEAD =
      """
      | | unit | candidate | median | min | max | to peer | goal |
      |---|---|---|---:|---:|---:|---:|---|
      """;

  private final Map<Measure, Map<String, Map<Integer, Double>>> values = new LinkedHashMap<>();
  private final List<String> notes = new ArrayList<>();
  private int round = 1;

  /** Figures that follow belong to this round. */
  synchronized void round(int number) {
    round = number;
  }

  synchronized void add(Measure measure, String candidate, double value) {
    values
        .computeIfAbsent(measure, _ -> new LinkedHashMap<>())
        .computeIfAbsent(candidate, _ -> new TreeMap<>())
        .put(round, value);
  }

  /** Adds a remark about the figures; it is printed below the table. */
  synchronized void note(String text) {
    notes.add(text);
  }

  synchronized List<String> notes() {
    return List.copyOf(notes);
  }

  /** A candidate's values by round. */
  synchronized Map<Integer, Double> of(Measure measure, String candidate) {
    return new TreeMap<>(values.getOrDefault(measure, Map.of()).getOrDefault(candidate, Map.of()));
  }

  synchronized List<ResultRow> rows() {
    List<ResultRow> rows = new ArrayList<>();
    values.forEach((measure, byCandidate) ->
        byCandidate.forEach((candidate, own) -> {
          boolean isPeer = candidate.equals(measure.peer());
          Map<Integer, Double> peer =
              isPeer ? Map.of() : byCandidate.getOrDefault(measure.peer(), Map.of());
          rows.add(new ResultRow(measure, candidate, own, peer));
        }));
    return rows;
  }

  /** A table in Markdown, and the notes. */
  String table() {
    StringBuilder table = new StringBuilder(HEAD);
    for (ResultRow row : rows()) {
      Measure measure = row.measure();
      boolean isPeer = row.candidate().equals(measure.peer());
      table.append(
          "| %s: %s | %s | %s | %s | %s | %s | %s | %s |%n"
              .formatted(
                  measure.group(),
                  measure.title(),
                  measure.unit(),
                  row.candidate(),
                  number(row.median()),
                  number(row.least()),
                  number(row.most()),
                  Double.isNaN(row.ratio()) ? "" : number(row.ratio()) + "×",
                  isPeer ? "" : measure.goal()));
    }
    notes().forEach(note -> table.append("\n").append(note).append("\n"));
    return table.toString();
  }

  /** At least three significant digits. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "";
    }
    int digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
    boolean isWhole = value == Math.rint(value);
    return String.format(Locale.ROOT, "%,." + (isWhole ? 0 : digits) + "f", value);
  }

  /**
   * Checks before the run that the file can be written.
   *
   * @throws IllegalArgumentException with the error as a sentence
   */
  static void check(Path file) {
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder == null || Files.isDirectory(file)) {
        throw new IllegalArgumentException(file + " is no file");
      }
      Files.createDirectories(folder);
      if (!Files.isWritable(folder) || (Files.exists(file) && !Files.isWritable(file))) {
        throw new IllegalArgumentException(file + " cannot be written");
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(file + " cannot be written: " + e.getMessage(), e);
    }
  }

  /** Writes rows, notes and every single value as JSON. */
  void write(Path file, Map<String, ?> about) {
    List<Map<String, Object>> all = new ArrayList<>();
    for (ResultRow row : rows()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("group", row.measure().group());
      one.put("title", row.measure().title());
      one.put("unit", row.measure().unit());
      one.put("candidate", row.candidate());
      one.put("values", row.values());
      one.put("median", row.median());
      one.put("min", row.least());
      one.put("max", row.most());
      boolean isPeer = row.candidate().equals(row.measure().peer());
      one.put("peer", isPeer ? "" : row.measure().peer());
      one.put("ratio", Double.isNaN(row.ratio()) ? null : row.ratio());
      one.put("goal", isPeer ? "" : row.measure().goal());
      all.add(one);
    }
    Map<String, Object> document = new LinkedHashMap<>(about);
    document.put("rows", all);
    document.put("notes", notes());
    JsonMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(file, mapper.writeValueAsString(document) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
