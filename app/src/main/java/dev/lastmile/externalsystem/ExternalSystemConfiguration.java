package dev.lastmile.externalsystem;

import java.time.Clock;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.databind.json.JsonMapper;

/** Builds the simulated external system. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ExternalSystemProperties.class)
class ExternalSystemConfiguration {
  @Bean
  WebhookSender webhookSender(ExternalSystemProperties properties, JsonMapper mapper) {
    return new WebhookSender(properties, mapper, Clock.systemUTC());
  }

  @Bean
  Simulation simulation(ExternalSystemProperties properties, WebhookSender sender) {
    return new Simulation(properties, sender, System::nanoTime);
  }
}
