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
 * One jar, three roles: a replica of the service; under the profile {@code external-system} the
 * simulated external system that it works with; under the profile {@code load} its browsers. A
 * replica under the profile {@code demo} also serves the demonstration.
 */
@Modulithic
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import({
  HttpConfiguration.class,
  Lastmile.ReplicaRole.class,
  Lastmile.Demonstration.class,
  Lastmile.ExternalSystemRole.class,
  Lastmile.LoadRole.class,
  JettyConfiguration.class
})
class Lastmile {
  /** Starts the process; all settings come from properties and the environment. */
  public static void main(String[] args) {
    SpringApplication application = new SpringApplication(Lastmile.class);
    application.addListeners(new KnownSettings(), new DemoSecrets(), new ProductionSettings());
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
  @Profile("!external-system & !load")
  @ComponentScan({
    "dev.lastmile.telemetry",
    "dev.lastmile.connections",
    "dev.lastmile.coordination",
    "dev.lastmile.operations",
    "dev.lastmile.callbacks",
    "dev.lastmile.external",
    "dev.lastmile.identity",
    "dev.lastmile.contract"
  })
  static class ReplicaRole {}

  @Configuration(proxyBeanMethods = false)
  @Profile("demo & !external-system")
  @ComponentScan("dev.lastmile.demo")
  static class Demonstration {}

  @Configuration(proxyBeanMethods = false)
  @Profile("external-system")
  @ComponentScan("dev.lastmile.externalsystem")
  static class ExternalSystemRole {}

  @Configuration(proxyBeanMethods = false)
  @Profile("load")
  @ComponentScan("dev.lastmile.load")
  static class LoadRole {}
}
