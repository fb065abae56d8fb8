package dev.lastmile.demo;

import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.Profiles;

/** Stops the start in the {@code production} profile: any client can switch the demo's faults. */
final class NotForProduction implements ApplicationListener<ApplicationPreparedEvent> {
  @Override
  public void onApplicationEvent(ApplicationPreparedEvent event) {
    if (event.getApplicationContext().getEnvironment().acceptsProfiles(Profiles.of("production"))) {
      throw new IllegalStateException(
          "the demo, with faults that any client can switch, is not for the profile production;"
              + " start the service's own jar");
    }
  }
}
