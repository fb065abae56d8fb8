package dev.lastmile;

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
 * Warns when the process was given secrets that everybody can read, those of the compose project;
 * in the {@code production} profile it does not start with them.
 */
final class DemoSecrets implements ApplicationListener<ApplicationPreparedEvent> {
  private static final Logger LOG = LoggerFactory.getLogger(DemoSecrets.class);

  /** How such a secret begins, once its form is taken off. */
  private static final String MARK = "demo-only";

  private static final String PREFIX = "whsec_";

  /** However they were set: by environment, on the command line, in a file. */
  private static final List<String> PROPERTIES =
      List.of(
          "lastmile.identity.key",
          "lastmile.callbacks.secrets",
          "lastmile.external-system.secrets");

  @Override
  public void onApplicationEvent(ApplicationPreparedEvent event) {
    ConfigurableEnvironment environment = event.getApplicationContext().getEnvironment();
    List<String> found =
        PROPERTIES.stream()
            .filter(property -> isForDemonstrations(values(environment, property)))
            .toList();
    if (found.isEmpty()) {
      return;
    }
    if (environment.acceptsProfiles(Profiles.of("production"))) {
      throw new IllegalStateException(
          String.join(", ", found) + ": a secret for demonstrations, which everybody can read");
    }
    LOG.atWarn()
        .addKeyValue("settings", found)
        .addKeyValue("detail", "everybody can read these secrets; never use them for real work")
        .log("demo_secrets");
  }

  private static List<String> values(ConfigurableEnvironment environment, String property) {
    return Binder.get(environment).bind(property, Bindable.listOf(String.class)).orElse(List.of());
  }

  private static boolean isForDemonstrations(List<String> secrets) {
    for (String secret : secrets) {
      if (plain(secret.strip()).startsWith(MARK)) {
        return true;
      }
    }
    return false;
  }

  private static String plain(String secret) {
    if (!secret.startsWith(PREFIX)) {
      return secret;
    }
    try {
      return new String(Base64.getDecoder().decode(secret.substring(PREFIX.length())), UTF_8);
    } catch (IllegalArgumentException e) {
      // Whoever uses it will say that it has not the right form.
      return "";
    }
  }
}
