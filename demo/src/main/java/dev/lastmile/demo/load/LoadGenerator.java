package dev.lastmile.demo.load;

import dev.lastmile.startup.StartupChecks;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** The main class of the load generator, a process of its own. */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@EnableConfigurationProperties(LoadProperties.class)
public class LoadGenerator {
  /** Starts the process; its settings are {@code lastmile.load.*}. */
  public static void main(String[] args) {
    SpringApplication application = new SpringApplication(LoadGenerator.class);
    application.setAdditionalProfiles("load");
    application.addListeners(StartupChecks.knownSettings());
    application.run(args);
  }

  @Bean
  Load load(LoadProperties properties) {
    return new Load(properties);
  }

  @Bean
  LoadController loadController(Load load, LoadProperties properties) {
    return new LoadController(load, properties);
  }
}
