package dev.lastmile.demo.page;

import dev.lastmile.http.HandlerOrder;
import dev.lastmile.ledger.DeliveriesEndpoint;
import dev.lastmile.pubsub.FanOutSwitch;
import dev.lastmile.telemetry.Replica;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.ScheduledExecutorService;
import org.eclipse.jetty.server.Handler;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.server.servlet.context.ServletWebServerInitializedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.data.redis.core.StringRedisTemplate;
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
  ExpiringKeyValues expiringKeyValues(StringRedisTemplate redis) {
    return new ExpiringKeyValues(redis);
  }

  @Bean
  ReplicaFaults replicaFaults(ExpiringKeyValues board, DemoProperties properties) {
    return new ReplicaFaults(board, properties.faultEndsAfter());
  }

  @Bean
  ExternalFaultClient externalFaultClient(RestClient.Builder builder, DemoProperties properties) {
    return new ExternalFaultClient(
        builder,
        properties.externalUrl(),
        properties.externalTimeout(),
        properties.faultEndsAfter());
  }

  @Bean
  Faults faults(
      ReplicaFaults ofReplicas,
      ExternalFaultClient ofExternal,
      DeliveriesEndpoint deliveries,
      Replica replica) {
    return new Faults(ofReplicas, ofExternal, deliveries, replica);
  }

  @Bean
  OwnFaults ownFaults(FanOutSwitch fanOut) {
    return new OwnFaults(fanOut);
  }

  /** In front of the callbacks. */
  @Bean
  @Order(HandlerOrder.CALLBACK_FAULTS)
  Handler.Wrapper callbackRefusal(OwnFaults own) {
    return new CallbackRefusal(own);
  }

  @Bean
  Summaries summaries(
      ExpiringKeyValues board,
      Replica replica,
      FanOutSwitch fanOut,
      OwnFaults own,
      SlowStreamReader slowReader,
      MeterRegistry meters,
      JsonMapper mapper,
      DemoProperties properties) {
    return new Summaries(
        board,
        () -> ReplicaSummary.of(replica, fanOut, own, slowReader, meters),
        mapper,
        properties.summaryEndsAfter());
  }

  @Bean
  FaultPoller faultPoller(
      ReplicaFaults faults,
      Summaries summaries,
      OwnFaults own,
      Replica replica,
      DemoProperties properties,
      ScheduledExecutorService scheduler) {
    return new FaultPoller(faults, summaries, own, replica, properties.interval(), scheduler);
  }

  @Bean(destroyMethod = "close")
  SlowStreamReader slowReader() {
    return new SlowStreamReader();
  }

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> smallSendBuffer() {
    return factory -> factory.addServerCustomizers(SlowStreamReader::serve);
  }

  @Bean
  ApplicationListener<ServletWebServerInitializedEvent> slowReaderPort(
      SlowStreamReader slowReader) {
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
