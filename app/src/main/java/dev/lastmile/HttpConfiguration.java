package dev.lastmile;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.MediaType;
import org.springframework.web.servlet.config.annotation.ContentNegotiationConfigurer;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/** What all HTTP endpoints have in common. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(HttpProperties.class)
@Import({ProblemAdvice.class, ProblemErrorController.class})
class HttpConfiguration implements WebMvcConfigurer {
  /** There is one representation of each thing, so whatever a client accepts, it gets that one. */
  @Override
  public void configureContentNegotiation(ContentNegotiationConfigurer negotiation) {
    negotiation.ignoreAcceptHeader(true).defaultContentType(MediaType.ALL);
  }

  @Bean
  RequestLimitFilter requestLimitFilter(HttpProperties properties) {
    return new RequestLimitFilter(properties.maxBody());
  }

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> jettyProblems() {
    return factory ->
        factory.addServerCustomizers(server -> server.setErrorHandler(new JettyProblems()));
  }
}
