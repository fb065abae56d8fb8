package dev.lastmile.startup;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ApplicationListener;

/** The checks of an application's settings before it starts. */
public final class StartupChecks {
  private StartupChecks() {}

  /** Adds all checks of a replica. */
  public static void addTo(SpringApplication replica) {
    replica.addListeners(knownSettings(), new DemoSecrets(), new ProductionSettings());
  }

  /** Stops the start if a {@code lastmile.*} setting is unknown. */
  public static ApplicationListener<ApplicationPreparedEvent> knownSettings() {
    return new KnownSettings();
  }
}
