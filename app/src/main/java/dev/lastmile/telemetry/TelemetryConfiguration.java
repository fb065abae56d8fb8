package dev.lastmile.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.micrometer.metrics.autoconfigure.MeterRegistryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Names the replica and builds the recorder. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ReplicaProperties.class)
class TelemetryConfiguration {
  @Bean
  Replica replica(ReplicaProperties properties) throws UnknownHostException {
    String name = properties.replica();
    return new Replica(name.isBlank() ? InetAddress.getLocalHost().getHostName() : name);
  }

  @Bean
  MeterRegistryCustomizer<MeterRegistry> replicaLabel(Replica replica) {
    return meters -> meters.config().commonTags("replica", replica.name());
  }

  @Bean
  HopRecorder hopRecorder(MeterRegistry meters, Replica replica) {
    return new HopRecorder(meters, replica);
  }
}
