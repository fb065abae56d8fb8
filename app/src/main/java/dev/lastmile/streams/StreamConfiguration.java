package dev.lastmile.streams;

import dev.lastmile.http.HandlerOrder;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.StatisticsHandler;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

/** Configures the stream endpoint, a Jetty handler in front of the servlets of the public port. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({StreamProperties.class, DrainProperties.class})
class StreamConfiguration {
  /** Counts the requests that a graceful shutdown waits for: all requests except streams. */
  @Bean
  @Order(HandlerOrder.REQUEST_COUNT)
  Handler.Wrapper requestsButStreams() {
    return new StatisticsHandler();
  }

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> acceptQueue(
      StreamProperties properties) {
    return factory ->
        factory.addServerCustomizers(server -> {
          for (Connector connector : server.getConnectors()) {
            if (connector instanceof ServerConnector socket) {
              // Jetty's default of 50 drops connections when a thousand clients reconnect at once.
              socket.setAcceptQueueSize(properties.acceptQueue());
            }
          }
        });
  }
}
