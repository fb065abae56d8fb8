package dev.lastmile.callbacks;

import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.telemetry.HopRecorder;
import io.micrometer.core.instrument.MeterRegistry;
import org.eclipse.jetty.server.Handler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.core.env.Profiles;
import tools.jackson.databind.json.JsonMapper;

/** Builds the callback endpoint, which stands in front of the servlets of the public port. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(CallbacksProperties.class)
class CallbacksConfiguration {
  private static final Logger LOG = LoggerFactory.getLogger(CallbacksConfiguration.class);

  @Bean
  WebhookVerifier webhookVerifier(CallbacksProperties properties, Environment environment) {
    if (properties.secrets().isEmpty()) {
      if (environment.acceptsProfiles(Profiles.of("production"))) {
        throw new IllegalStateException(
            "lastmile.callbacks.secrets (LASTMILE_WEBHOOK_SECRETS) must be set in production");
      }
      LOG.atWarn()
          .addKeyValue("detail", "every callback is refused; set LASTMILE_WEBHOOK_SECRETS")
          .log("webhook_secret_missing");
    }
    return new WebhookVerifier(properties.secrets(), properties.window());
  }

  @Bean
  Callbacks callbacks(
      OperationStore store,
      RedisTime time,
      WebhookVerifier verifier,
      CallbacksProperties properties,
      JsonMapper mapper,
      HopRecorder hops) {
    return new Callbacks(store, time, verifier, properties, mapper, hops);
  }

  @Bean
  @Order(400)
  Handler.Wrapper callbackHandler(Callbacks callbacks, MeterRegistry meters) {
    return new CallbackHandler(callbacks, new Route(meters, "/api/callbacks/{operationId}"));
  }
}
