package dev.lastmile.callbacks;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.core.env.Profiles;

/** Configures the checks of callbacks. */
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
          .addKeyValue("detail", "every callback is rejected (401); set LASTMILE_WEBHOOK_SECRETS")
          .log("webhook_secret_missing");
    }
    return new WebhookVerifier(properties.secrets(), properties.window());
  }
}
