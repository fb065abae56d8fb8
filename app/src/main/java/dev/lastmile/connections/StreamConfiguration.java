package dev.lastmile.connections;

import dev.lastmile.identity.Identities;
import dev.lastmile.telemetry.Replica;
import io.micrometer.core.instrument.MeterRegistry;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Puts the stream endpoint in front of the servlet context of the public port. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(StreamProperties.class)
class StreamConfiguration {
  @Bean
  Registry registry(StreamProperties properties, MeterRegistry meters) {
    return new Registry(properties, System::nanoTime, meters);
  }

  @Bean
  Dispatcher dispatcher(
      Registry registry, DeltaReads reads, StreamProperties properties, MeterRegistry meters) {
    return new Dispatcher(registry, reads, properties, meters);
  }

  @Bean
  Heartbeats heartbeats(Registry registry, StreamProperties properties) {
    return new Heartbeats(registry, properties, System::nanoTime);
  }

  @Bean
  StreamLifecycle streamLifecycle(Registry registry, Dispatcher dispatcher, Heartbeats heartbeats) {
    return new StreamLifecycle(registry, dispatcher, heartbeats);
  }

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> streamEndpoint(
      Registry registry,
      Dispatcher dispatcher,
      Deliveries deliveries,
      Identities identities,
      StreamProperties properties,
      Replica replica) {
    return factory ->
        factory.addServerCustomizers(server -> {
          for (Connector connector : server.getConnectors()) {
            if (connector instanceof ServerConnector socket) {
              // Jetty's default of 50 drops connections when a thousand browsers come back.
              socket.setAcceptQueueSize(properties.acceptQueue());
            }
          }
          StreamHandler streams =
              new StreamHandler(
                  registry,
                  dispatcher,
                  deliveries,
                  identities,
                  properties,
                  replica,
                  System::nanoTime);
          streams.setHandler(server.getHandler());
          server.setHandler(streams);
        });
  }
}
