package dev.lastmile.http;

import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.boot.web.server.ConfigurableWebServerFactory;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;

/** Configures the management port, which is a separate web server. */
@ManagementContextConfiguration(value = ManagementContextType.CHILD, proxyBeanMethods = false)
class ManagementPortConfiguration {
  /**
   * Completes requests in progress before the port closes. The drain waits for one more scrape and
   * continues while its response is still being written. {@code server.shutdown} does not apply to
   * this port.
   */
  @Bean
  WebServerFactoryCustomizer<ConfigurableWebServerFactory> gracefulManagementShutdown() {
    return factory -> factory.setShutdown(Shutdown.GRACEFUL);
  }
}
