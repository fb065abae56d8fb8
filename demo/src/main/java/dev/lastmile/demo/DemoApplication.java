package dev.lastmile.demo;

import dev.lastmile.Lastmile;
import org.springframework.boot.SpringApplication;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/**
 * The main class of the demo: a replica that also serves the demo page and switches faults.
 *
 * <p>The profile {@code demo} is always active; together with {@code production} it does not start.
 */
@Configuration(proxyBeanMethods = false)
@Import(Lastmile.class)
@ComponentScan("dev.lastmile.demo.page")
public class DemoApplication {
  /** Starts the process; all settings come from properties and the environment. */
  public static void main(String[] args) {
    SpringApplication application = Lastmile.application(DemoApplication.class);
    application.setAdditionalProfiles("demo");
    application.addListeners(new NotForProduction());
    Lastmile.run(application, args);
  }
}
