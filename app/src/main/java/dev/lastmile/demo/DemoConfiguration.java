package dev.lastmile.demo;

import dev.lastmile.coordination.CoordinationSwitch;
import dev.lastmile.coordination.DeliveriesEndpoint;
import dev.lastmile.coordination.NoticeBoard;
import dev.lastmile.telemetry.Replica;
import io.micrometer.core.instrument.MeterRegistry;
import org.eclipse.jetty.server.Handler;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.server.servlet.context.ServletWebServerInitializedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.http.CacheControl;
import org.springframework.web.client.RestClient;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import tools.jackson.databind.json.JsonMapper;

/** Builds the demonstration. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(DemoProperties.class)
class DemoConfiguration {
  @Bean
  ReplicaFaults replicaFaults(NoticeBoard board, DemoProperties properties) {
    return new ReplicaFaults(board, properties.faultEndsAfter());
  }

  @Bean
  ExternalFaults externalFaults(RestClient.Builder builder, DemoProperties properties) {
    return new ExternalFaults(
        builder,
        properties.externalUrl(),
        properties.externalTimeout(),
        properties.faultEndsAfter());
  }

  @Bean
  Faults faults(
      ReplicaFaults ofReplicas,
      ExternalFaults ofExternal,
      DeliveriesEndpoint deliveries,
      Replica replica) {
    return new Faults(ofReplicas, ofExternal, deliveries, replica);
  }

  @Bean
  OwnFaults ownFaults(CoordinationSwitch coordination) {
    return new OwnFaults(coordination);
  }

  /** In front of the callbacks. */
  @Bean
  @Order(300)
  Handler.Wrapper callbackRefusal(OwnFaults own) {
    return new CallbackRefusal(own);
  }

  @Bean
  Summaries summaries(
      NoticeBoard board,
      Replica replica,
      CoordinationSwitch coordination,
      OwnFaults own,
      SlowReader slowReader,
      MeterRegistry meters,
      JsonMapper mapper,
      DemoProperties properties) {
    return new Summaries(
        board,
        () -> ReplicaSummary.of(replica, coordination, own, slowReader, meters),
        mapper,
        properties.summaryEndsAfter());
  }

  @Bean
  DemoPulse demoPulse(
      ReplicaFaults faults,
      Summaries summaries,
      OwnFaults own,
      Replica replica,
      DemoProperties properties) {
    return new DemoPulse(faults, summaries, own, replica, properties.interval());
  }

  @Bean(destroyMethod = "close")
  SlowReader slowReader(JsonMapper mapper) {
    return new SlowReader(mapper);
  }

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> smallSendBuffer() {
    return factory -> factory.addServerCustomizers(SlowReader::serve);
  }

  @Bean
  ApplicationListener<ServletWebServerInitializedEvent> slowReaderPort(SlowReader slowReader) {
    return event -> {
      if (event.getApplicationContext().getServerNamespace() == null) {
        slowReader.readAt(event.getWebServer().getPort());
      }
    };
  }

  @Bean
  WebMvcConfigurer pageResources() {
    return new WebMvcConfigurer() {
      @Override
      public void addResourceHandlers(ResourceHandlerRegistry registry) {
        // Asked for again each time, and mostly answered 304: replicas may differ for a moment.
        registry
            .addResourceHandler("/page/**")
            .addResourceLocations("classpath:/demo/")
            .setCacheControl(CacheControl.noCache());
      }
    };
  }
}
