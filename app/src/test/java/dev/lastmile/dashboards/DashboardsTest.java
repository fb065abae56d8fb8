package dev.lastmile.dashboards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.telemetry.Metric;
import dev.lastmile.testkit.Generated;
import dev.lastmile.testkit.rules.RuleFiles;
import dev.lastmile.testkit.rules.RuleFiles.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;

/**
 * The boards equal their rendered sources, every panel is documented, and all links and series
 * exist.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DashboardsTest {
  private static final Pattern PANEL_OF_RUNBOOK =
      Pattern.compile("Panel \\*([^*]+)\\*(?: of the board \\*([^*]+)\\*)?");

  static List<String> boards() {
    return BoardFiles.names();
  }

  private static List<JsonNode> panels(String board) {
    List<JsonNode> panels = new ArrayList<>();
    BoardFiles.json(board).path("panels").forEach(panels::add);
    return panels;
  }

  /** The panels that show data. */
  private static List<JsonNode> charts(String board) {
    return panels(board).stream()
        .filter(panel -> !Set.of("row", "text").contains(panel.path("type").asString()))
        .toList();
  }

  private static String title(JsonNode panel) {
    return panel.path("title").asString();
  }

  private static Set<String> texts(Iterable<JsonNode> nodes, String field) {
    Set<String> texts = new TreeSet<>();
    nodes.forEach(node -> texts.add(node.path(field).asString()));
    return texts;
  }

  /** Runs first: with {@code ./generate} the other tests then read the new files. */
  @Order(1)
  @ParameterizedTest
  @MethodSource("boards")
  void theJsonIsMadeFromItsSource(String board) {
    Generated.assertFile(BoardFiles.dashboard(board), BoardFiles.rendered(board));
  }

  @Test
  void thereAreNoOtherFiles_andEachBoardHasItsOwnName() throws IOException {
    try (Stream<Path> files = Files.list(BoardFiles.FOLDER.resolve("dashboards"))) {
      assertThat(files.map(file -> file.getFileName().toString().replace(".json", "")))
          .containsExactlyInAnyOrderElementsOf(boards());
    }
    for (String board : boards()) {
      JsonNode json = BoardFiles.json(board);
      // Links and alerts contain the uid.
      assertThat(json.path("uid").asString()).isEqualTo("lastmile-" + board);
      assertThat(json.path("id").isNull()).as("Grafana assigns the id of " + board).isTrue();
      assertThat(json.path("editable").asBoolean()).isFalse();
      assertThat(json.path("schemaVersion").asInt()).isIn(41, 42);
      assertThat(json.path("tags").get(0).asString()).isEqualTo("lastmile");
    }
    assertThat(boards().stream().map(board -> BoardFiles.json(board).path("title").asString()))
        .doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("boards")
  void everyPanelTellsWhatBadLooksLikeAndWhatToDoNext(String board) {
    assertThat(charts(board)).isNotEmpty();
    assertThat(panels(board).stream().map(DashboardsTest::title)).doesNotHaveDuplicates();
    assertThat(panels(board).stream().map(panel -> panel.path("id").asInt()))
        .doesNotHaveDuplicates();
    for (JsonNode panel : charts(board)) {
      assertThat(title(panel)).isNotBlank();
      assertThat(panel.path("description").asString())
          .as(title(panel))
          .matches(Pattern.compile("\\S.+\n\n\\*\\*Bad:\\*\\* \\S.+\n\n\\*\\*Next:\\*\\* \\S.+"))
          .doesNotContain("null");
      JsonNode defaults = panel.path("fieldConfig").path("defaults");
      assertThat(defaults.path("noValue").asString(""))
          .as("noValue of " + title(panel))
          .isNotBlank();
      String unit =
          switch (panel.path("type").asString()) {
            case "logs" -> "lines";
            case "heatmap" -> panel.path("options").path("yAxis").path("unit").asString("");
            default -> defaults.path("unit").asString("");
          };
      assertThat(unit).as("unit of " + title(panel)).isNotBlank();
    }
  }

  /** A panel without thresholds gets Grafana's default, which is red from 80 in any unit. */
  @ParameterizedTest
  @MethodSource("boards")
  void everyPanelThatIsColoredByThresholdsHasItsOwn_andLinesDrawTheirs(String board) {
    for (JsonNode panel : charts(board)) {
      JsonNode defaults = panel.path("fieldConfig").path("defaults");
      String type = panel.path("type").asString();
      if (Set.of("stat", "bargauge", "state-timeline").contains(type)) {
        assertThat(defaults.has("thresholds")).as(title(panel)).isTrue();
      } else if (type.equals("timeseries")) {
        String style = defaults.path("custom").path("thresholdsStyle").path("mode").asString();
        assertThat(!style.equals("off")).as(title(panel)).isEqualTo(defaults.has("thresholds"));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("boards")
  void panelsFitTheGrid_andNoneCoversAnother(String board) {
    Set<String> taken = new HashSet<>();
    for (JsonNode panel : panels(board)) {
      JsonNode place = panel.path("gridPos");
      int left = place.path("x").asInt();
      int top = place.path("y").asInt();
      int width = place.path("w").asInt();
      int height = place.path("h").asInt();
      assertThat(left).isNotNegative();
      assertThat(width).isPositive();
      assertThat(height).isPositive();
      assertThat(left + width).as(title(panel)).isLessThanOrEqualTo(24);
      for (int x = left; x < left + width; x++) {
        for (int y = top; y < top + height; y++) {
          assertThat(taken.add(x + "," + y)).as(title(panel) + " covers another").isTrue();
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("boards")
  void everyDatasourceIsAVariableOfTheBoard(String board) {
    JsonNode json = BoardFiles.json(board);
    Set<String> variables = texts(json.path("templating").path("list"), "name");
    List<JsonNode> users = new ArrayList<>(charts(board));
    charts(board).forEach(panel -> panel.path("targets").forEach(users::add));
    json.path("annotations").path("list").forEach(users::add);
    json.path("templating")
        .path("list")
        .forEach(variable -> {
          if (variable.path("type").asString().equals("query")) {
            users.add(variable);
          }
        });
    for (JsonNode user : users) {
      String type = user.path("datasource").path("type").asString();
      assertThat(user.path("datasource").path("uid").asString()).isEqualTo("${" + type + "}");
      assertThat(variables).contains(type);
    }
    for (BoardQuery query : BoardQuery.all()) {
      if (query.board().equals(board) && query.expression().contains("$replica")) {
        assertThat(variables).as(query.toString()).contains("replica");
      }
    }
  }

  @Test
  void everyDatasourceThatIsNamedIsProvisioned() throws IOException {
    StringBuilder all = new StringBuilder();
    Set<String> uids = new TreeSet<>();
    try (Stream<Path> files = Files.list(BoardFiles.FOLDER.resolve("provisioning/datasources"))) {
      for (Path file : files.toList()) {
        String text = RuleFiles.read(file);
        Map<String, List<Map<String, Object>>> yaml = new Yaml().load(text);
        yaml.get("datasources")
            .forEach(datasource -> {
              assertThat(uids.add((String) datasource.get("uid"))).as("one uid each").isTrue();
              assertThat(datasource.get("editable")).isEqualTo(false);
            });
        all.append(text);
      }
    }
    assertThat(uids).containsExactly("alertmanager", "loki", "prometheus", "tempo");
    assertThat(matches("(?:datasourceUid|alertmanagerUid): (\\S+)", all.toString()))
        .hasSizeGreaterThan(3)
        .allMatch(uids::contains);
    for (String board : boards()) {
      for (JsonNode variable : BoardFiles.json(board).path("templating").path("list")) {
        if (variable.path("type").asString().equals("datasource")) {
          assertThat(uids).contains(variable.path("current").path("value").asString());
        }
      }
    }
  }

  /** The scrape job of each series that is neither in the catalogue nor recorded. */
  static Map<String, String> foreign() {
    Map<String, String> jobs = new TreeMap<>();
    BoardFiles.yaml("foreign")
        .forEach(
            (job, series) -> BoardFiles.list(series).forEach(name -> jobs.put((String) name, job)));
    return jobs;
  }

  @ParameterizedTest
  @MethodSource("scales")
  void everySeriesIsInTheCatalogue_recorded_orListedAsForeign(String scale) {
    Set<String> ours =
        RuleFiles.rules(scale).stream()
            .filter(rule -> !rule.isAlert())
            .map(Rule::name)
            .collect(Collectors.toCollection(TreeSet::new));
    Arrays.stream(Metric.values()).map(Metric::prometheusName).forEach(ours::add);
    for (String suffix : new String[] {"_bucket", "_count", "_sum"}) {
      ours.add(Metric.LATENCY.prometheusName() + suffix);
    }
    Set<String> foreign = new TreeSet<>(foreign().keySet());
    Set<String> used = new TreeSet<>();
    for (BoardQuery query : BoardQuery.all()) {
      if (query.isPromql()) {
        Set<String> names = RuleFiles.series(query.interpolated());
        assertThat(names).as(query.toString()).isNotEmpty();
        assertThat(names)
            .as(query.toString())
            .allMatch(name -> ours.contains(name) || foreign.contains(name));
        used.addAll(names);
      }
    }
    // The links from a span to metrics.
    String tempo = RuleFiles.read(BoardFiles.FOLDER.resolve("provisioning/datasources/tempo.yaml"));
    List<String> links = matches("query: '(.*\\{\\$\\$__tags.*)'", tempo);
    assertThat(links).hasSize(2);
    for (String link : links) {
      assertThat(RuleFiles.series(link.replace("$$__tags", "")))
          .isNotEmpty()
          .allMatch(ours::contains);
    }
    foreign.removeAll(used);
    assertThat(foreign).as("listed but not used").isEmpty();
  }

  static List<String> scales() {
    return RuleFiles.SCALES;
  }

  @Test
  void everyLinkLeadsSomewhere() {
    Set<String> uids =
        boards().stream().map(board -> "lastmile-" + board).collect(Collectors.toSet());
    for (String board : boards()) {
      String json = BoardFiles.json(board).toString();
      assertThat(matches("/d/([a-z-]+)", json)).allMatch(uids::contains);
      assertThat(matches("/runbooks/([A-Za-z]+)\\.md", json))
          .as(board)
          .isNotEmpty()
          .allMatch(RuleFiles.runbooks()::containsKey);
      assertThat(matches("var-([a-z]+)=", json)).allMatch("replica"::equals);
    }
    for (String scale : scales()) {
      for (Rule rule : RuleFiles.rules(scale)) {
        if (rule.isAlert()) {
          String url = rule.map("annotations").get("dashboard_url");
          assertThat(uids).as(rule.name()).contains(url.replaceFirst(".*/d/", ""));
        }
      }
    }
  }

  @Test
  void everyAlertIsLinkedFromAPanelOfTheBoardThatItNames() {
    for (Rule rule : RuleFiles.rules("demo")) {
      if (rule.isAlert()) {
        String board = board(rule);
        assertThat(BoardFiles.json(board).toString())
            .as(rule.name() + " on " + board)
            .contains("/runbooks/" + rule.name() + ".md");
      }
    }
  }

  private static String board(Rule alert) {
    return alert.map("annotations").get("dashboard_url").replaceFirst(".*/d/lastmile-", "");
  }

  @Test
  void everyPanelThatARunbookNamesExists() {
    Map<String, String> boardOfAlert = new TreeMap<>();
    RuleFiles.rules("demo").stream()
        .filter(Rule::isAlert)
        .forEach(rule -> boardOfAlert.put(rule.name(), board(rule)));
    Set<String> named = new TreeSet<>();
    RuleFiles.runbooks()
        .forEach((alert, file) -> {
          Matcher matcher = PANEL_OF_RUNBOOK.matcher(RuleFiles.read(file));
          while (matcher.find()) {
            String board = matcher.group(2) == null ? boardOfAlert.get(alert) : matcher.group(2);
            assertThat(panels(board).stream().map(DashboardsTest::title))
                .as(alert + " on " + board)
                .contains(matcher.group(1));
            named.add(board + "/" + matcher.group(1));
          }
        });
    assertThat(named).hasSizeGreaterThan(10);
  }

  /** A title in italics in a description is that of a panel or a board. */
  @Test
  void everyPanelThatADescriptionNamesExists() {
    Set<String> titles = new TreeSet<>();
    for (String board : boards()) {
      titles.add(BoardFiles.json(board).path("title").asString());
      panels(board).forEach(panel -> titles.add(title(panel)));
    }
    for (String board : boards()) {
      for (JsonNode panel : panels(board)) {
        String text =
            panel.path("description").asString("")
                + panel.path("options").path("content").asString("");
        for (String name : matches("(?<!\\*)\\*([A-Z][^*]+)\\*(?!\\*)", text)) {
          assertThat(titles).as(board + " / " + title(panel)).contains(name);
        }
      }
    }
  }

  private static List<String> matches(String pattern, String text) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map((MatchResult result) -> result.group(1))
        .toList();
  }
}
