package dev.lastmile.testkit.externalsystem;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Clock;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import tools.jackson.databind.json.JsonMapper;

/**
 * The main class of the simulated external system, a process of its own.
 *
 * <p>It takes jobs at {@code POST /jobs}, works on them in simulated time, and reports each step by
 * a signed webhook. {@code PUT /faults/{name}} makes it misbehave.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@EnableConfigurationProperties(ExternalSystemProperties.class)
@Import(JobController.class)
public class ExternalSystem {
  /** Starts the process; its settings are {@code lastmile.external-system.*}. */
  public static void main(String[] args) {
    SpringApplication application = new SpringApplication(ExternalSystem.class);
    application.setAdditionalProfiles("external-system");
    application.run(args);
  }

  @Bean
  WebhookSender webhookSender(ExternalSystemProperties properties, JsonMapper mapper) {
    return new WebhookSender(properties, mapper, Clock.systemUTC());
  }

  @Bean
  Simulation simulation(ExternalSystemProperties properties, WebhookSender sender) {
    return new Simulation(properties, sender, Ticker.systemTicker());
  }
}
