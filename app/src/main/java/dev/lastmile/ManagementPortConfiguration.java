package dev.lastmile;

import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.boot.web.server.ConfigurableWebServerFactory;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;

/** What the management port, a server of its own, needs beside its port and address. */
@ManagementContextConfiguration(value = ManagementContextType.CHILD, proxyBeanMethods = false)
class ManagementPortConfiguration {
  /**
   * Requests under way are answered before the port closes: a replica that stops waits until it has
   * been scraped once more, and goes on stopping while that scrape is still being written. {@code
   * server.shutdown} does not reach this port.
   */
  @Bean
  WebServerFactoryCustomizer<ConfigurableWebServerFactory> lastScrapeIsAnswered() {
    return factory -> factory.setShutdown(Shutdown.GRACEFUL);
  }
}
