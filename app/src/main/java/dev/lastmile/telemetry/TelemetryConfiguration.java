package dev.lastmile.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import io.prometheus.metrics.tracer.common.SpanContext;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.micrometer.metrics.autoconfigure.MeterRegistryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Names the replica and builds the recorder. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({ReplicaProperties.class, LogProperties.class})
class TelemetryConfiguration {
  @Bean
  Replica replica(ReplicaProperties properties) {
    return new Replica(properties.replica());
  }

  @Bean
  static LogMeters logMeters() {
    return new LogMeters();
  }

  @Bean
  MeterRegistryCustomizer<MeterRegistry> replicaLabel(Replica replica) {
    return meters -> meters.config().commonTags("replica", replica.name());
  }

  /** Static: the registry needs it before this configuration is complete. */
  @Bean
  static SpanContext exemplars() {
    return new CurrentSpan();
  }

  @Bean
  HopRecorder hopRecorder(MeterRegistry meters, Replica replica) {
    return new HopRecorder(meters, replica);
  }
}
