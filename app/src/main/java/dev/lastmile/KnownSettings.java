package dev.lastmile;

import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Stops the start when a setting of ours is unknown: a typing error would otherwise mean the
 * default.
 *
 * <p>Known is what the configuration metadata lists, which the compiler made from the properties
 * themselves, and the environment variables that the application's own file refers to.
 */
final class KnownSettings implements ApplicationListener<ApplicationPreparedEvent> {
  private static final String PREFIX = "lastmile.";
  private static final String ENVIRONMENT_PREFIX = "LASTMILE_";
  private static final Pattern INDEX = Pattern.compile("\\[\\d+]|\\.\\d+$");

  /** Environment variables of the contract whose names differ from their property's. */
  private static final Set<String> ENVIRONMENT =
      Set.of(
          "LASTMILE_REPLICA",
          "LASTMILE_COORDINATION",
          "LASTMILE_EXTERNAL_URL",
          "LASTMILE_CALLBACK_URLS",
          "LASTMILE_WEBHOOK_SECRETS",
          "LASTMILE_IDENTITY_KEY",
          // Read by the agent alone (otel-agent/agent.yaml).
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
          "lastmile.* has no such settings: " + String.join(", ", unknown));
    }
  }

  private static boolean isUnknown(String name, Set<String> known) {
    // Binding takes a variable in small letters as well.
    String variable = name.toUpperCase(Locale.ROOT);
    if (variable.startsWith(ENVIRONMENT_PREFIX)) {
      String plain = plain(variable.replace('_', '.'));
      return !ENVIRONMENT.contains(variable)
          && known.stream().noneMatch(k -> plain(k).equals(plain));
    }
    return name.startsWith(PREFIX) && !known.contains(plain(INDEX.matcher(name).replaceAll("")));
  }

  /** Relaxed binding takes these for the same. */
  private static String plain(String name) {
    return name.replace("-", "").replace(".", "").toLowerCase(Locale.ROOT);
  }

  private static Set<String> known() {
    Set<String> known = new TreeSet<>();
    try (InputStream in =
        KnownSettings.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
      if (in == null) {
        throw new IllegalStateException("the configuration metadata is missing in the jar");
      }
      for (JsonNode property : JsonMapper.shared().readTree(in).path("properties")) {
        known.add(plain(property.path("name").asString()));
      }
      return known;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
