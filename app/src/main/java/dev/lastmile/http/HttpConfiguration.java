package dev.lastmile.http;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jackson.autoconfigure.JsonMapperBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.web.servlet.config.annotation.ContentNegotiationConfigurer;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import tools.jackson.core.StreamReadFeature;

/** Configures what all HTTP endpoints have in common. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(HttpProperties.class)
class HttpConfiguration implements WebMvcConfigurer {
  /** Ignores the {@code Accept} header: each resource has one representation. */
  @Override
  public void configureContentNegotiation(ContentNegotiationConfigurer negotiation) {
    negotiation.ignoreAcceptHeader(true).defaultContentType(MediaType.ALL);
  }

  /** Rejects JSON with duplicate keys: parsers differ in which value they use. */
  @Bean
  JsonMapperBuilderCustomizer rejectDuplicateKeys() {
    return mapper -> mapper.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION);
  }
}
