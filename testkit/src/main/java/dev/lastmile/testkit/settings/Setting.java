package dev.lastmile.testkit.settings;

import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.io.ClassPathResource;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One setting of ours: what the configuration metadata says of it, the environment variable that
 * {@code application.yaml} reads it from, and the limits that its record declares.
 *
 * @param type simple name
 * @param defaultValue as it would be written; empty for none
 * @param environment of the contract; empty if there is none
 * @param record where it is declared
 */
public record Setting(
    String name,
    String type,
    String defaultValue,
    String environment,
    String sentence,
    Class<?> record) {
  private static final java.util.regex.Pattern PLACEHOLDER =
      java.util.regex.Pattern.compile("\\$\\{([A-Z_]+):?([^}]*)}");

  /**
   * All of a module, by name.
   *
   * @param classes the folder with the compiled classes of the module
   * @param yaml the file on the class path that reads them from variables of the environment
   */
  public static List<Setting> all(Path classes, String yaml) {
    Map<String, String> variables = variables(yaml);
    List<Setting> all = new ArrayList<>();
    try (InputStream in =
        Files.newInputStream(classes.resolve("META-INF/spring-configuration-metadata.json"))) {
      for (JsonNode property : JsonMapper.shared().readTree(in).path("properties")) {
        String name = property.path("name").asString();
        if (!name.startsWith("lastmile.")) {
          continue; // Spring's switches of our actuator endpoints
        }
        all.add(
            new Setting(
                name,
                property.path("type").asString().replaceFirst("<.*", "").replaceFirst(".*\\.", ""),
                text(property.path("defaultValue")),
                variables.getOrDefault(name, ""),
                property.path("description").asString().replaceAll("\\{@code\\s+([^}]*)}", "`$1`"),
                Class.forName(property.path("sourceType").asString())));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
    all.sort(Comparator.comparing(Setting::name));
    return all;
  }

  private static String text(JsonNode value) {
    return value.isArray()
        ? value.valueStream().map(JsonNode::asString).collect(Collectors.joining(","))
        : value.asString("");
  }

  /** The variable that feeds a property, from the first document of its file. */
  private static Map<String, String> variables(String yaml) {
    Map<String, String> byProperty = new LinkedHashMap<>();
    try (InputStream in = new ClassPathResource(yaml).getInputStream()) {
      collect("", new Yaml().loadAll(in).iterator().next(), byProperty);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return byProperty;
  }

  private static void collect(String path, Object node, Map<String, String> byProperty) {
    if (node instanceof Map<?, ?> map) {
      map.forEach((key, value) ->
          collect(path.isEmpty() ? key.toString() : path + "." + key, value, byProperty));
    } else {
      Matcher placeholder = PLACEHOLDER.matcher(String.valueOf(node));
      if (placeholder.matches()) {
        byProperty.put(path, placeholder.group(1));
      }
    }
  }

  /** What it may be, if only certain words are allowed. */
  public List<String> choices() {
    Class<?> component = component().getType();
    return component.isEnum()
        ? Arrays.stream(component.getEnumConstants()).map(Object::toString).toList()
        : List.of();
  }

  /** The declared limits in words; empty if there is none. */
  public String limit() {
    return limits().keySet().stream().collect(Collectors.joining(", "));
  }

  /** Values just outside of the limits. */
  public List<String> outOfRange() {
    return limits().values().stream().toList();
  }

  /** Each limit in words, with a value just outside of it. */
  private Map<String, String> limits() {
    Map<String, String> limits = new LinkedHashMap<>();
    for (Annotation annotation : component().getAccessor().getAnnotations()) {
      switch (annotation) {
        case Min min -> limits.put("≥ " + min.value(), Long.toString(min.value() - 1));
        case Max max -> limits.put("≤ " + max.value(), Long.toString(max.value() + 1));
        case DecimalMin min -> limits.put("≥ " + min.value(), "-0.001");
        case DecimalMax max -> limits.put("≤ " + max.value(), max.value() + ".001");
        case DurationMin min -> {
          Duration least = Duration.ofSeconds(min.seconds() + 60 * min.minutes());
          least = least.plusMillis(min.millis());
          limits.put("≥ " + written(least), least.toMillis() - 1 + "ms");
        }
        case DurationMax max -> {
          Duration most =
              Duration.ofSeconds(max.seconds() + 60 * max.minutes() + 3_600 * max.hours());
          most = most.plusDays(max.days()).plusMillis(max.millis());
          limits.put("≤ " + written(most), most.toMillis() + 1 + "ms");
        }
        case Size size ->
            limits.put(
                size.min() + " to " + size.max() + " characters", "x".repeat(size.min() - 1));
        case Pattern pattern ->
            limits.put("`" + pattern.regexp().replace("|", "` or `") + "`", "otherwise");
        case NotBlank _ -> limits.put("not empty", " ");
        case NotEmpty _ -> limits.put("not empty", "");
        default -> {}
      }
    }
    return limits;
  }

  private static String written(Duration duration) {
    if (duration.toMillis() % 1_000 != 0 || duration.isZero()) {
      return DurationStyle.SIMPLE.print(duration, java.time.temporal.ChronoUnit.MILLIS);
    }
    long seconds = duration.toSeconds();
    return seconds % 86_400 == 0
        ? seconds / 86_400 + "d"
        : seconds % 3_600 == 0 ? seconds / 3_600 + "h" : seconds + "s";
  }

  private RecordComponent component() {
    String last = name.substring(name.lastIndexOf('.') + 1).replace("-", "");
    return Arrays.stream(record.getRecordComponents())
        .filter(component -> component.getName().equalsIgnoreCase(last))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(name + " is not in " + record));
  }

  /** What {@code @ConfigurationProperties} names. */
  public String prefix() {
    return name.substring(0, name.lastIndexOf('.'));
  }
}
