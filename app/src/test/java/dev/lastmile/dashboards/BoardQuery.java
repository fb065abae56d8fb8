package dev.lastmile.dashboards;

import static dev.lastmile.dashboards.BoardFiles.list;
import static dev.lastmile.dashboards.BoardFiles.map;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * A query that Grafana sends for a board, as its JSON has it.
 *
 * @param place title of the panel, or name of the annotation or variable
 * @param refId which of the place's queries
 * @param datasource {@code prometheus} or {@code loki}
 * @param empty why it may have no answer while all is well; empty if it must have one under load
 */
record BoardQuery(
    String board, String place, String refId, String datasource, String expression, String empty) {
  private static final Pattern LABEL_VALUES =
      Pattern.compile("label_values\\((.+), *([a-z_]+)\\)", Pattern.DOTALL);

  /** What Grafana puts in place of its own variables, and ours for "all". */
  private static final Map<String, String> VALUES =
      Map.of(
          "$__rate_interval", "1m",
          "$__interval", "15s",
          "$__range", "5m",
          "$replica", ".*");

  boolean isPromql() {
    return datasource.equals("prometheus");
  }

  /** With a value for each variable; a variable's query becomes one that answers its values. */
  String interpolated() {
    String query = expression;
    // "$__range" is not the beginning of another one, but "$__interval" could be.
    for (String variable : VALUES.keySet().stream().sorted().toList().reversed()) {
      query = query.replace(variable, VALUES.get(variable));
    }
    if (query.contains("$") && isPromql() && !query.contains("\"$1\"")) {
      throw new IllegalStateException(this + " has a variable without a value");
    }
    Matcher values = LABEL_VALUES.matcher(query);
    return values.matches()
        ? "group by (%s) (%s)".formatted(values.group(2), values.group(1))
        : query;
  }

  @Override
  public String toString() {
    return board + " / " + place + " / " + refId;
  }

  /** All queries of all boards. */
  static List<BoardQuery> all() {
    List<BoardQuery> queries = new ArrayList<>();
    for (String name : BoardFiles.names()) {
      JsonNode board = BoardFiles.json(name);
      Map<String, String> empties = empties(name);
      for (JsonNode panel : board.path("panels")) {
        panel
            .path("targets")
            .forEach(target -> {
              String place = panel.path("title").asString();
              queries.add(of(name, place, target, target.path("datasource"), empties));
            });
      }
      for (JsonNode annotation : board.path("annotations").path("list")) {
        String place = annotation.path("name").asString();
        queries.add(
            of(name, place, annotation.path("target"), annotation.path("datasource"), empties));
      }
      for (JsonNode variable : board.path("templating").path("list")) {
        if (variable.path("type").asString().equals("query")) {
          queries.add(
              new BoardQuery(
                  name,
                  variable.path("name").asString(),
                  variable.path("query").path("refId").asString(),
                  variable.path("datasource").path("type").asString(),
                  variable.path("query").path("query").asString(),
                  ""));
        }
      }
    }
    return queries;
  }

  private static BoardQuery of(
      String board,
      String place,
      JsonNode target,
      JsonNode datasource,
      Map<String, String> empties) {
    String refId = target.path("refId").asString();
    return new BoardQuery(
        board,
        place,
        refId,
        datasource.path("type").asString(),
        target.path("expr").asString(),
        empties.getOrDefault(place + "/" + refId, ""));
  }

  /** From the sources, where each stands beside its query. */
  private static Map<String, String> empties(String board) {
    Map<String, String> empties = new HashMap<>();
    for (Object row : list(BoardFiles.yaml(board).get("rows"))) {
      for (Object panel : list(map(row).get("panels"))) {
        char refId = 'A';
        for (Object query : list(map(panel).get("queries"))) {
          Object reason = map(query).get("empty");
          if (reason != null) {
            empties.put(map(panel).get("title") + "/" + refId, (String) reason);
          }
          refId++;
        }
      }
    }
    for (Object annotation : list(BoardFiles.yaml("common").get("annotations"))) {
      Object reason = map(annotation).get("empty");
      if (reason != null) {
        empties.put(map(annotation).get("name") + "/Anno", (String) reason);
      }
    }
    return empties;
  }
}
