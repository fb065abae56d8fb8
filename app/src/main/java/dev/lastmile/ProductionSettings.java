package dev.lastmile;

import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Profiles;

/**
 * Stops the start of a replica in the {@code production} profile when its settings would show to
 * everybody what is for operators, or let everybody switch faults on.
 */
final class ProductionSettings implements ApplicationListener<ApplicationPreparedEvent> {
  @Override
  public void onApplicationEvent(ApplicationPreparedEvent event) {
    ConfigurableEnvironment environment = event.getApplicationContext().getEnvironment();
    if (!environment.acceptsProfiles(Profiles.of("production"))) {
      return;
    }
    if (environment.acceptsProfiles(Profiles.of("demo"))) {
      throw new IllegalStateException(
          "spring.profiles.active: demo, whose faults anybody may switch, and production exclude each"
              + " other");
    }
    boolean replica = environment.acceptsProfiles(Profiles.of("!external-system & !load"));
    String port = environment.getProperty("server.port", "");
    // 0 is any free one, another one each time.
    if (replica
        && !port.equals("0")
        && port.equals(environment.getProperty("management.server.port", ""))) {
      throw new IllegalStateException(
          "management.server.port (MANAGEMENT_SERVER_PORT) must differ from server.port (SERVER_PORT):"
              + " its surface is for operators");
    }
  }
}
