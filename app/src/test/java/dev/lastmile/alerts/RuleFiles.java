package dev.lastmile.alerts;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.yaml.snakeyaml.Yaml;

/**
 * The rules as files: rendered from their templates, and read.
 *
 * <p>In a template {@code {{name}}} is a value of the scale, and lines between {@code {{#demo}}}
 * and {@code {{/demo}}} are for that scale only. What Prometheus expands itself is written with
 * blanks inside the braces.
 */
public final class RuleFiles {
  static final Path FOLDER = Path.of("..", "alert-rules");
  public static final List<String> SCALES = List.of("slo", "demo");

  private static final Path TEMPLATES = FOLDER.resolve("templates");
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{(\\w+)}}");
  private static final Pattern BLOCK = Pattern.compile("\\s*\\{\\{([#/])(\\w+)}}\\s*");

  private RuleFiles() {}

  /** Where a scale's rules are. */
  public static Path folder(String scale) {
    return scale.equals("slo") ? FOLDER : FOLDER.resolve(scale);
  }

  /** What the files of a scale have to be, by their paths. */
  static Map<Path, String> rendered(String scale) {
    Properties values = values(scale);
    Map<Path, String> files = new LinkedHashMap<>();
    try (Stream<Path> templates = Files.walk(TEMPLATES)) {
      for (Path template : templates.filter(file -> file.toString().endsWith(".yaml")).toList()) {
        Path relative = TEMPLATES.relativize(template);
        String header =
            "# Generated from alert-rules/templates/%s for the %s scale: edit that, not this.\n"
                .formatted(relative, scale);
        files.put(
            folder(scale).resolve(relative),
            header + render(Files.readString(template), scale, values));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }

  /** Where the links in the alerts lead for their runbooks; the same at every scale. */
  public static String runbooksUrl() {
    return values("slo").getProperty("runbooks");
  }

  private static Properties values(String scale) {
    Properties values = new Properties();
    try {
      values.load(
          new StringReader(read(TEMPLATES.resolve("scales").resolve(scale + ".properties"))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return values;
  }

  private static String render(String template, String scale, Properties values) {
    StringBuilder text = new StringBuilder();
    String only = null;
    for (String line : template.lines().toList()) {
      Matcher block = BLOCK.matcher(line);
      if (block.matches()) {
        only = block.group(1).equals("#") ? block.group(2) : null;
      } else if (only == null || only.equals(scale)) {
        text.append(line).append('\n');
      }
    }
    return PLACEHOLDER
        .matcher(text)
        .replaceAll(match -> {
          String value = values.getProperty(match.group(1));
          if (value == null) {
            throw new IllegalStateException("no value for " + match.group() + " in " + scale);
          }
          return Matcher.quoteReplacement(value);
        });
  }

  /** A rule as its file has it: {@code record} or {@code alert}, {@code expr}, and so on. */
  public record Rule(Path file, Map<String, Object> fields) {
    public boolean isAlert() {
      return fields.containsKey("alert");
    }

    public String name() {
      return String.valueOf(fields.getOrDefault("alert", fields.get("record")));
    }

    public String expression() {
      return String.valueOf(fields.get("expr"));
    }

    @SuppressWarnings("unchecked")
    public Map<String, String> map(String field) {
      return (Map<String, String>) fields.getOrDefault(field, Map.of());
    }
  }

  /** The files of a scale that Prometheus loads. */
  static List<Path> files(String scale) {
    try (Stream<Path> files = Files.list(folder(scale))) {
      return files
          .filter(file -> file.toString().matches(".*\\.(rules|alerts)\\.yaml"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All rules of a scale. */
  public static List<Rule> rules(String scale) {
    List<Rule> rules = new ArrayList<>();
    for (Path file : files(scale)) {
      Map<String, List<Map<String, Object>>> groups = new Yaml().load(read(file));
      for (Map<String, Object> group : groups.get("groups")) {
        @SuppressWarnings("unchecked")
        List<Map<String, Object>> own = (List<Map<String, Object>>) group.get("rules");
        own.forEach(rule -> rules.add(new Rule(file, rule)));
      }
    }
    return rules;
  }

  /** The runbooks by the alert that they are for. */
  public static Map<String, Path> runbooks() {
    Map<String, Path> runbooks = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(FOLDER.resolve("runbooks"))) {
      files
          .sorted()
          .forEach(file -> runbooks.put(file.getFileName().toString().replace(".md", ""), file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return runbooks;
  }

  /** The queries of a runbook. */
  static List<String> queries(Path runbook) {
    List<String> queries = new ArrayList<>();
    Matcher matcher =
        Pattern.compile("```promql\\n(.*?)```", Pattern.DOTALL).matcher(read(runbook));
    while (matcher.find()) {
      queries.add(matcher.group(1).strip());
    }
    return queries;
  }

  /** Every expression that rules and runbooks of a scale have. */
  static List<String> expressions(String scale) {
    List<String> expressions = new ArrayList<>();
    rules(scale).forEach(rule -> expressions.add(rule.expression()));
    runbooks().values().forEach(runbook -> expressions.addAll(queries(runbook)));
    return expressions;
  }

  private static final Pattern STRINGS = Pattern.compile("\"[^\"]*\"|'[^']*'");
  private static final Pattern SELECTORS = Pattern.compile("\\{[^}]*}");
  private static final Pattern RANGES = Pattern.compile("\\[[^]]*]");
  private static final Pattern GROUPINGS =
      Pattern.compile("\\b(by|without|on|ignoring|group_left|group_right)\\s*\\([^)]*\\)");
  private static final Pattern NAME =
      Pattern.compile("(?<![\\w:.])([a-zA-Z_:][\\w:]*)(?![\\w:]*\\s*\\()");

  /** The series that an expression names. */
  public static TreeSet<String> series(String expression) {
    String bare = expression;
    for (Pattern noise : List.of(STRINGS, SELECTORS, RANGES, GROUPINGS)) {
      bare = noise.matcher(bare).replaceAll(" ");
    }
    TreeSet<String> names = new TreeSet<>();
    Matcher matcher = NAME.matcher(bare);
    while (matcher.find()) {
      String name = matcher.group(1);
      boolean word =
          name.matches(
              "and|or|unless|bool|offset|by|without|on|ignoring|[0-9.]*(ms|[smhdwy])|inf|nan");
      if (!word) {
        names.add(name);
      }
    }
    return names;
  }

  public static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
