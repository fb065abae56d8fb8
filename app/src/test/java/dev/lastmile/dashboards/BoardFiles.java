package dev.lastmile.dashboards;

import dev.lastmile.testkit.rules.RuleFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The files of the boards: the JSON that Grafana loads, rendered from the short sources in {@code
 * grafana/boards}.
 *
 * <p>A source defines the content of a board. {@code common.yaml} defines the look of every board
 * and of each kind of panel. This class adds ids, grid positions, datasources and links.
 */
final class BoardFiles {
  static final Path FOLDER = Path.of("..", "grafana");
  private static final Path SOURCES = FOLDER.resolve("boards");
  private static final int COLUMNS = 24;

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final DefaultIndenter INDENTER = new DefaultIndenter("  ", "\n");

  private final Map<String, Object> common = yaml("common");
  private int ids;

  private BoardFiles() {}

  /** The names of the boards, from the names of their sources. */
  static List<String> names() {
    try (Stream<Path> files = Files.list(SOURCES)) {
      return files
          .map(file -> file.getFileName().toString().replace(".yaml", ""))
          .filter(name -> !name.equals("common") && !name.equals("foreign"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Map<String, Object> yaml(String name) {
    return new Yaml().load(RuleFiles.read(SOURCES.resolve(name + ".yaml")));
  }

  static Path dashboard(String name) {
    return FOLDER.resolve("dashboards").resolve(name + ".json");
  }

  /** A board as Grafana loads it. */
  static JsonNode json(String name) {
    return JSON.readTree(RuleFiles.read(dashboard(name)));
  }

  /** The expected JSON of a board. */
  static String rendered(String name) {
    Map<String, Object> board = new BoardFiles().board(yaml(name));
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter().withObjectIndenter(INDENTER).withArrayIndenter(INDENTER);
    return JSON.writer().with(printer).writeValueAsString(board) + "\n";
  }

  private Map<String, Object> board(Map<String, Object> source) {
    Map<String, Object> board = new LinkedHashMap<>();
    for (String field : List.of("uid", "title", "description", "tags")) {
      board.put(field, source.get(field));
    }
    board.putAll(map(common.get("board")));
    board.put("links", common.get("links"));
    board.put("templating", object("list", variables(source)));
    board.put("annotations", object("list", annotations()));
    board.put("panels", panels(source));
    return board;
  }

  private List<Object> variables(Map<String, Object> source) {
    List<Object> variables = new ArrayList<>();
    for (Object name : list(source.get("variables"))) {
      Map<String, Object> variable = object("name", name);
      variable.putAll(map(map(common.get("variables")).get(name)));
      variables.add(variable);
    }
    return variables;
  }

  private List<Object> annotations() {
    List<Object> annotations = new ArrayList<>();
    for (Object each : list(common.get("annotations"))) {
      Map<String, Object> source = map(each);
      annotations.add(
          object(
              "name", source.get("name"),
              "datasource", datasource("prometheus"),
              "enable", true,
              "hide", false,
              "iconColor", source.get("iconColor"),
              "target", object("refId", "Anno", "expr", source.get("expr"), "interval", "5s"),
              "titleFormat", source.get("title"),
              "textFormat", source.get("text"),
              "tagKeys", source.get("tags"),
              "useValueForTime", source.getOrDefault("valueIsTime", false)));
    }
    return annotations;
  }

  /**
   * Places rows from top to bottom, and the panels of a row from left to right. A panel that does
   * not fit starts a new line.
   */
  private List<Object> panels(Map<String, Object> source) {
    List<Object> panels = new ArrayList<>();
    int y = 0;
    for (Object eachRow : list(source.get("rows"))) {
      Map<String, Object> row = map(eachRow);
      panels.add(row(row, y++));
      int x = 0;
      int tallest = 0;
      for (Object each : list(row.get("panels"))) {
        Map<String, Object> panel = map(each);
        int width = (int) panel.get("width");
        int height = (int) panel.getOrDefault("height", row.get("height"));
        if (x + width > COLUMNS) {
          y += tallest;
          x = 0;
          tallest = 0;
        }
        panels.add(panel(panel, object("h", height, "w", width, "x", x, "y", y)));
        x += width;
        tallest = Math.max(tallest, height);
      }
      y += tallest;
    }
    return panels;
  }

  private Map<String, Object> row(Map<String, Object> source, int y) {
    return object(
        "id",
        ++ids,
        "type",
        "row",
        "title",
        source.get("row"),
        "collapsed",
        false,
        "gridPos",
        object("h", 1, "w", COLUMNS, "x", 0, "y", y),
        "panels",
        List.of());
  }

  private Map<String, Object> panel(Map<String, Object> source, Map<String, Object> place) {
    Map<String, Object> kind = map(map(common.get("kinds")).get(source.get("kind")));
    Map<String, Object> panel =
        object(
            "id", ++ids, "type", kind.get("type"), "title", source.get("title"), "gridPos", place);
    if (source.containsKey("content")) {
      panel.put("options", merged(kind.get("options"), object("content", source.get("content"))));
      return panel;
    }
    String datasource = source.get("kind").equals("logs") ? "loki" : "prometheus";
    panel.put(
        "description",
        "%s\n\n**Bad:** %s\n\n**Next:** %s"
            .formatted(source.get("shows"), source.get("bad"), source.get("next")));
    panel.put("datasource", datasource(datasource));
    panel.put("links", list(source.get("runbooks")).stream().map(BoardFiles::runbook).toList());
    panel.put("targets", targets(source, datasource));
    panel.put(
        "fieldConfig",
        merged(
            merged(kind.get("fieldConfig"), object("defaults", defaults(source))),
            source.get("fieldConfig")));
    panel.put("options", merged(kind.get("options"), source.get("options")));
    if (source.containsKey("transformations")) {
      panel.put("transformations", source.get("transformations"));
    }
    return panel;
  }

  private static Map<String, Object> datasource(String type) {
    return object("type", type, "uid", "${" + type + "}");
  }

  private static Object runbook(Object alert) {
    return object(
        "title",
        "Runbook: " + alert,
        "type",
        "link",
        "url",
        RuleFiles.runbooksUrl() + "/" + alert + ".md",
        "icon",
        "doc",
        "tooltip",
        "What it means, and what to do",
        "targetBlank",
        true,
        "tags",
        List.of(),
        "asDropdown",
        false,
        "includeVars",
        false,
        "keepTime",
        false);
  }

  private static List<Object> targets(Map<String, Object> source, String datasource) {
    List<Object> targets = new ArrayList<>();
    char refId = 'A';
    for (Object each : list(source.get("queries"))) {
      Map<String, Object> query = map(each);
      Map<String, Object> target =
          object(
              "refId", String.valueOf(refId++),
              "datasource", datasource(datasource),
              "editorMode", "code",
              "expr", query.get("expr"));
      if (datasource.equals("loki")) {
        target.put("queryType", "range");
      } else {
        boolean instant = (boolean) query.getOrDefault("instant", false);
        target.put("legendFormat", query.getOrDefault("legend", ""));
        target.put("format", query.getOrDefault("format", "time_series"));
        target.put("instant", instant);
        target.put("range", !instant);
        target.put("exemplar", query.getOrDefault("exemplar", false));
      }
      targets.add(target);
    }
    return targets;
  }

  private static Map<String, Object> defaults(Map<String, Object> source) {
    Map<String, Object> defaults = new LinkedHashMap<>();
    for (String field : List.of("unit", "decimals", "noValue")) {
      if (source.containsKey(field)) {
        defaults.put(field, source.get(field));
      }
    }
    if (source.containsKey("thresholds")) {
      defaults.put("thresholds", thresholds((String) source.get("thresholds")));
    }
    if (source.containsKey("drill")) {
      Map<String, Object> drill = map(source.get("drill"));
      String label = "${__field.labels." + drill.get("label") + "}";
      String board = "/d/lastmile-" + drill.get("board");
      defaults.put(
          "links",
          List.of(
              object(
                  "title", "Board of " + label,
                  "url", board + "?var-replica=" + label + "&${__url_time_range}",
                  "targetBlank", false)));
    }
    return defaults;
  }

  /** {@code green, 1 orange, 5 red}: green below 1, orange from 1, red from 5. */
  private static Map<String, Object> thresholds(String text) {
    List<Object> steps = new ArrayList<>();
    for (String step : text.split(", ", -1)) {
      String[] parts = step.split(" ", -1);
      Object from = parts.length == 1 ? null : new BigDecimal(parts[0]);
      steps.add(object("color", parts[parts.length - 1], "value", from));
    }
    return object("mode", "absolute", "steps", steps);
  }

  /** Merges objects recursively; replaces all other values. */
  private static Object merged(Object under, Object over) {
    if (over == null) {
      return under;
    }
    if (!(under instanceof Map) || !(over instanceof Map)) {
      return resolved(over);
    }
    Map<String, Object> merged = new LinkedHashMap<>(map(under));
    map(over).forEach((key, value) -> merged.put(key, merged(merged.get(key), value)));
    return merged;
  }

  /** Replaces {@code {runbooks}} with the base URL of the runbooks. */
  private static Object resolved(Object value) {
    return switch (value) {
      case String text -> text.replace("{runbooks}", RuleFiles.runbooksUrl());
      case List<?> list -> {
        List<Object> all = new ArrayList<>();
        list.forEach(each -> all.add(resolved(each)));
        yield all;
      }
      case Map<?, ?> map -> {
        Map<Object, Object> all = new LinkedHashMap<>();
        map.forEach((key, each) -> all.put(key, resolved(each)));
        yield all;
      }
      case null, default -> value;
    };
  }

  /** A map in this order, which makes the files reproducible. */
  private static Map<String, Object> object(Object... keysAndValues) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      object.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return object;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> map(Object value) {
    return value == null ? Map.of() : (Map<String, Object>) value;
  }

  @SuppressWarnings("unchecked")
  static List<Object> list(Object value) {
    return value == null ? List.of() : (List<Object>) value;
  }
}
