package dev.lastmile.benchmark;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A jar of the service, and how it is started. Both come from one commit, because names of settings
 * and variables change between commits and the service refuses unknown ones.
 *
 * @param jar the executable jar
 * @param settings values by property name
 * @param environment values by variable name, with placeholders in braces
 */
record ServiceBuild(Path jar, Map<String, String> settings, Map<String, String> environment) {
  private static final Path PROPERTIES = Path.of("benchmark", "service.properties");
  private static final String JAR = "jar";
  private static final String SETTING = "setting.";
  private static final String ENVIRONMENT = "environment.";
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]+)}");

  ServiceBuild {
    settings = new TreeMap<>(settings);
    environment = new TreeMap<>(environment);
  }

  /** What Maven has built from the working tree. */
  static ServiceBuild workingTree() {
    Properties properties = load(PROPERTIES);
    return of(Path.of(properties.getProperty(JAR)), properties);
  }

  /** The build of another commit, in a folder that {@code benchmark/baseline} has filled. */
  static ServiceBuild baseline(Path folder) {
    return of(folder.resolve("service.jar"), load(folder.resolve("service.properties")));
  }

  /**
   * Reads {@code benchmark/service.properties}.
   *
   * @throws IllegalArgumentException if a property is neither a setting nor a variable
   */
  static ServiceBuild of(Path jar, Properties properties) {
    Map<String, String> settings = new TreeMap<>();
    Map<String, String> environment = new TreeMap<>();
    for (String name : properties.stringPropertyNames()) {
      String value = properties.getProperty(name);
      if (name.startsWith(SETTING)) {
        settings.put(name.substring(SETTING.length()), value);
      } else if (name.startsWith(ENVIRONMENT)) {
        environment.put(name.substring(ENVIRONMENT.length()), value);
      } else if (!name.equals(JAR)) {
        throw new IllegalArgumentException(name + " is unknown");
      }
    }
    return new ServiceBuild(jar, settings, environment);
  }

  private static Properties load(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties;
  }

  /** The settings as the command line takes them. */
  List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    settings.forEach((name, value) -> arguments.add("--" + name + "=" + value));
    return arguments;
  }

  /**
   * The environment of one replica.
   *
   * @param values by placeholder, without braces
   * @throws IllegalArgumentException if a placeholder has no value
   */
  Map<String, String> environment(Map<String, String> values) {
    Map<String, String> filled = new TreeMap<>();
    environment.forEach((name, template) -> filled.put(name, fill(template, values)));
    return filled;
  }

  private static String fill(String template, Map<String, String> values) {
    return PLACEHOLDER
        .matcher(template)
        .replaceAll(match -> {
          String value = values.get(match.group(1));
          if (value == null) {
            throw new IllegalArgumentException("no value for " + match.group());
          }
          return Matcher.quoteReplacement(value);
        });
  }
}
