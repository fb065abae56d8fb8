package dev.lastmile.coordination;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.prometheus.PrometheusOutputFormat;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.prometheus.PrometheusScrapeEndpoint;

/** Spring Boot's scrape, during which the account stands still. */
@WebEndpoint(id = "prometheus")
class ScrapeEndpoint extends PrometheusScrapeEndpoint {
  private final Account account;

  ScrapeEndpoint(PrometheusRegistry registry, Properties properties, Account account) {
    super(registry, properties);
    this.account = account;
  }

  @Override
  @ReadOperation(producesFrom = PrometheusOutputFormat.class)
  public WebEndpointResponse<byte[]> scrape(
      PrometheusOutputFormat format, @Nullable Set<String> includedNames) {
    return account.standingStill(() -> super.scrape(format, includedNames));
  }
}
