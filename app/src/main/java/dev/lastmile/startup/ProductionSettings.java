package dev.lastmile.startup;

import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Profiles;

/**
 * Stops the start in the {@code production} profile if the settings expose operators' endpoints on
 * the public port.
 */
final class ProductionSettings implements ApplicationListener<ApplicationPreparedEvent> {
  @Override
  public void onApplicationEvent(ApplicationPreparedEvent event) {
    ConfigurableEnvironment environment = event.getApplicationContext().getEnvironment();
    if (!environment.acceptsProfiles(Profiles.of("production"))) {
      return;
    }
    String port = environment.getProperty("server.port", "");
    // With port 0 each server gets a different free port.
    if (!port.equals("0") && port.equals(environment.getProperty("management.server.port", ""))) {
      throw new IllegalStateException(
          "management.server.port (MANAGEMENT_SERVER_PORT) must differ from server.port (SERVER_PORT):"
              + " its endpoints are for operators only");
    }
  }
}
