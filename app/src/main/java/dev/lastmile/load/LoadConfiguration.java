package dev.lastmile.load;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.databind.json.JsonMapper;

/** Builds the load generator. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(LoadProperties.class)
class LoadConfiguration {
  @Bean
  Load load(LoadProperties properties, JsonMapper mapper) {
    return new Load(properties, mapper);
  }

  @Bean
  LoadController loadController(Load load, LoadProperties properties) {
    return new LoadController(load, properties, System::nanoTime);
  }
}
