package dev.lastmile.connections;

import dev.lastmile.identity.Identities;
import dev.lastmile.identity.RateLimits;
import dev.lastmile.telemetry.Replica;
import io.micrometer.core.instrument.MeterRegistry;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.StatisticsHandler;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

/** Builds the stream endpoint, which stands in front of the servlets of the public port. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({StreamProperties.class, DrainProperties.class})
class StreamConfiguration {
  @Bean
  Registry registry(Presence presence, StreamProperties properties, MeterRegistry meters) {
    return new Registry(presence, properties, System::nanoTime, meters);
  }

  @Bean
  Expectations expectations(
      Registry registry, Deliveries deliveries, StreamProperties properties, MeterRegistry meters) {
    return new Expectations(registry, deliveries, properties, meters);
  }

  @Bean
  Dispatcher dispatcher(
      Registry registry,
      DeltaReads reads,
      Presence presence,
      Expectations expectations,
      Deliveries deliveries,
      StreamProperties properties,
      MeterRegistry meters) {
    return new Dispatcher(
        registry, reads, presence, expectations, deliveries, properties, System::nanoTime, meters);
  }

  @Bean
  Heartbeats heartbeats(Registry registry, Expectations expectations, StreamProperties properties) {
    return new Heartbeats(registry, expectations, properties, System::nanoTime);
  }

  @Bean
  BatchClose batchClose(Registry registry, Presence presence) {
    return new BatchClose(registry, presence);
  }

  @Bean
  Doors doors(Registry registry, BatchClose batchClose, DrainProperties properties) {
    return new Doors(registry, batchClose, properties.streams());
  }

  @Bean
  Drain drain(
      Registry registry,
      BatchClose batchClose,
      Expectations expectations,
      Deliveries deliveries,
      Presence presence,
      DrainProperties properties,
      ApplicationEventPublisher events,
      MeterRegistry meters) {
    return new Drain(
        registry,
        batchClose,
        expectations,
        deliveries,
        presence,
        properties,
        events,
        System::nanoTime,
        meters);
  }

  @Bean
  StreamLifecycle streamLifecycle(
      Registry registry, Dispatcher dispatcher, Heartbeats heartbeats, BatchClose batchClose) {
    return new StreamLifecycle(registry, dispatcher, heartbeats, batchClose);
  }

  @Bean
  @Order(100)
  Handler.Wrapper streamHandler(
      Registry registry,
      Dispatcher dispatcher,
      Expectations expectations,
      Identities identities,
      RateLimits rates,
      StreamProperties properties,
      Replica replica,
      MeterRegistry meters) {
    return new StreamHandler(
        registry,
        dispatcher,
        expectations,
        identities,
        rates,
        properties,
        replica,
        System::nanoTime,
        meters);
  }

  /** Whoever stops the server waits for the requests that are counted here: all but streams. */
  @Bean
  @Order(200)
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
              // Jetty's default of 50 drops connections when a thousand browsers come back.
              socket.setAcceptQueueSize(properties.acceptQueue());
            }
          }
        });
  }
}
