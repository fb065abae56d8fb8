package dev.lastmile.startup;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Stops the start if a {@code lastmile.*} setting is unknown, because a misspelled name would
 * silently leave the default.
 *
 * <p>Known settings are those in the configuration metadata, which the compiler generates from the
 * properties classes. The environment variables to which {@code application.yaml} refers are known
 * as well.
 */
final class KnownSettings implements ApplicationListener<ApplicationPreparedEvent> {
  private static final String METADATA = "classpath*:META-INF/spring-configuration-metadata.json";
  private static final String PREFIX = "lastmile.";
  private static final String MAP = "java.util.Map";
  private static final String ENVIRONMENT_PREFIX = "LASTMILE_";
  private static final Pattern INDEX = Pattern.compile("\\[\\d+]|\\.\\d+$");

  /** Environment variables whose names differ from their property's name. */
  private static final Set<String> ENVIRONMENT =
      Set.of(
          "LASTMILE_REPLICA",
          "LASTMILE_FAN_OUT",
          "LASTMILE_JOBS_URL",
          "LASTMILE_JOBS_CALLBACK_URLS",
          "LASTMILE_WEBHOOK_SECRETS",
          "LASTMILE_IDENTITY_KEY",
          // Only the agent reads it (otel-agent/agent.yaml).
          "LASTMILE_TRACE_RATIO");

  @Override
  public void onApplicationEvent(ApplicationPreparedEvent event) {
    Set<String> known = known();
    Set<String> unknown = new TreeSet<>();
    ConfigurableEnvironment environment = event.getApplicationContext().getEnvironment();
    for (PropertySource<?> source : environment.getPropertySources()) {
      if (source instanceof EnumerablePropertySource<?> names) {
        for (String name : names.getPropertyNames()) {
          if (isUnknown(name, known)) {
            unknown.add(name);
          }
        }
      }
    }
    if (!unknown.isEmpty()) {
      throw new IllegalStateException(
          "lastmile.* contains unknown settings: " + String.join(", ", unknown));
    }
  }

  private static boolean isUnknown(String name, Set<String> known) {
    // Binding also accepts variables in lower case.
    String variable = name.toUpperCase(Locale.ROOT);
    if (variable.startsWith(ENVIRONMENT_PREFIX)) {
      String plain = plain(INDEX.matcher(variable.replace('_', '.')).replaceAll(""));
      return !ENVIRONMENT.contains(variable)
          && known.stream().noneMatch(k -> plain(k).equals(plain))
          && known.stream().noneMatch(k -> variable.startsWith(variableOfMap(k)));
    }
    return name.startsWith(PREFIX)
        && !known.contains(plain(INDEX.matcher(name).replaceAll("")))
        && known.stream().noneMatch(k -> k.endsWith(".") && name.replace('[', '.').startsWith(k));
  }

  /** The beginning of the variables of a map; no variable begins with that of another setting. */
  private static String variableOfMap(String known) {
    return known.endsWith(".")
        ? known.replace("-", "").replace('.', '_').toUpperCase(Locale.ROOT)
        : "=";
  }

  /** The name without hyphens, dots and case, which relaxed binding ignores. */
  private static String plain(String name) {
    return name.replace("-", "").replace(".", "").toLowerCase(Locale.ROOT);
  }

  /**
   * From every jar: an application that contains a replica has settings of its own. Names are
   * plain; that of a map is as it is, and ends with a dot.
   */
  private static Set<String> known() {
    Set<String> known = new TreeSet<>();
    try {
      ClassLoader loader = KnownSettings.class.getClassLoader();
      for (Resource metadata :
          new PathMatchingResourcePatternResolver(loader).getResources(METADATA)) {
        String text = metadata.getContentAsString(UTF_8);
        // Most are Spring's own and need not be parsed.
        if (text.contains('"' + PREFIX)) {
          for (JsonNode property : JsonMapper.shared().readTree(text).path("properties")) {
            String name = property.path("name").asString();
            boolean map = property.path("type").asString("").startsWith(MAP);
            known.add(map ? name + "." : plain(name));
          }
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    if (known.isEmpty()) {
      throw new IllegalStateException("the configuration metadata is missing in the jar");
    }
    return known;
  }
}
