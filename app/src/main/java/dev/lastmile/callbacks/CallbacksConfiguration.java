package dev.lastmile.callbacks;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.core.env.Profiles;

/** Builds the verifier from the configured secrets. */
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
          .log("webhook_secret_missing: every callback is refused; set LASTMILE_WEBHOOK_SECRETS");
    }
    return new WebhookVerifier(properties.secrets(), properties.window());
  }
}
