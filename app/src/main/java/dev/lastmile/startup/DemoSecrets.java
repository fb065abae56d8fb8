package dev.lastmile.startup;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Base64;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Profiles;

/**
 * Warns if the process uses the public secrets of the compose project. In the {@code production}
 * profile the start fails instead.
 */
final class DemoSecrets implements ApplicationListener<ApplicationPreparedEvent> {
  private static final Logger LOG = LoggerFactory.getLogger(DemoSecrets.class);

  /** The prefix of such a secret after decoding. */
  private static final String MARK = "demo-only";

  private static final String PREFIX = "whsec_";

  /** The properties with secrets, from any source: environment, command line or file. */
  private static final List<String> PROPERTIES =
      List.of("lastmile.identity.key", "lastmile.callbacks.secrets");

  @Override
  public void onApplicationEvent(ApplicationPreparedEvent event) {
    ConfigurableEnvironment environment = event.getApplicationContext().getEnvironment();
    List<String> found =
        PROPERTIES.stream().filter(property -> hasDemoSecret(environment, property)).toList();
    if (found.isEmpty()) {
      return;
    }
    if (environment.acceptsProfiles(Profiles.of("production"))) {
      throw new IllegalStateException(
          String.join(", ", found) + ": a public demo secret, not allowed in production");
    }
    LOG.atWarn()
        .addKeyValue("settings", found)
        .addKeyValue("detail", "these secrets are public; do not use them in production")
        .log("demo_secrets");
  }

  private static boolean hasDemoSecret(ConfigurableEnvironment environment, String property) {
    return Binder.get(environment)
        .bind(property, Bindable.listOf(String.class))
        .orElse(List.of())
        .stream()
        .anyMatch(secret -> plain(secret.strip()).startsWith(MARK));
  }

  private static String plain(String secret) {
    if (!secret.startsWith(PREFIX)) {
      return secret;
    }
    try {
      return new String(Base64.getDecoder().decode(secret.substring(PREFIX.length())), UTF_8);
    } catch (IllegalArgumentException e) {
      // The consumer of this property reports the invalid form.
      return "";
    }
  }
}
