package dev.lastmile;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** What all HTTP endpoints have in common. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(HttpProperties.class)
@Import(ProblemAdvice.class)
class HttpConfiguration {
  @Bean
  BodyLimitFilter bodyLimitFilter(HttpProperties properties) {
    return new BodyLimitFilter(properties.maxBody());
  }

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> jettyProblems() {
    return factory ->
        factory.addServerCustomizers(server -> server.setErrorHandler(new JettyProblems()));
  }
}
