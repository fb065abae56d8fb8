package dev.lastmile;

import dev.lastmile.connections.Drain;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Profile;
import org.springframework.modulith.Modulithic;

/**
 * One jar, two roles: a replica of the service, or, under the profile {@code external-system}, the
 * simulated external system that it works with.
 */
@Modulithic
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import({HttpConfiguration.class, Lastmile.ReplicaRole.class, Lastmile.ExternalSystemRole.class})
public class Lastmile {
  /** Starts the process; all settings come from properties and the environment. */
  public static void main(String[] args) {
    SpringApplication application = new SpringApplication(Lastmile.class);
    application.addListeners(new KnownSettings());
    application.setRegisterShutdownHook(false);
    ConfigurableApplicationContext context = application.run(args);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(context), "shutdown"));
  }

  /** Drains while everything is still served; Spring's own hook would close the ports first. */
  private static void stop(ConfigurableApplicationContext context) {
    if (context.isActive()) {
      try {
        context.getBeanProvider(Drain.class).ifAvailable(Drain::run);
      } finally {
        context.close();
      }
    }
  }

  @Configuration(proxyBeanMethods = false)
  @Profile("!external-system")
  @ComponentScan({
    "dev.lastmile.telemetry",
    "dev.lastmile.connections",
    "dev.lastmile.coordination",
    "dev.lastmile.operations",
    "dev.lastmile.callbacks",
    "dev.lastmile.external",
    "dev.lastmile.identity"
  })
  static class ReplicaRole {}

  @Configuration(proxyBeanMethods = false)
  @Profile("external-system")
  @ComponentScan("dev.lastmile.externalsystem")
  static class ExternalSystemRole {}
}
