package dev.lastmile.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.info.BuildProperties;
import org.springframework.boot.micrometer.metrics.autoconfigure.MeterRegistryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Builds the name of the replica, its label on all metrics, and the meter of the build. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({ReplicaProperties.class, LogProperties.class})
class TelemetryConfiguration {
  @Bean
  Replica replica(ReplicaProperties properties) {
    return Replica.named(properties.replica());
  }

  @Bean
  static BuildInfo buildInfo(ObjectProvider<BuildProperties> build) {
    return new BuildInfo(build.getIfAvailable());
  }

  @Bean
  MeterRegistryCustomizer<MeterRegistry> replicaLabel(Replica replica) {
    return meters -> meters.config().commonTags("replica", replica.name());
  }
}
