package dev.lastmile.ledger;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.prometheus.PrometheusOutputFormat;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.prometheus.PrometheusScrapeEndpoint;
import org.springframework.stereotype.Component;

/** The Prometheus endpoint of Spring Boot, with the same totals for all meters of one scrape. */
@Component
@WebEndpoint(id = "prometheus")
class ScrapeEndpoint extends PrometheusScrapeEndpoint {
  private final LedgerTotals totals;

  ScrapeEndpoint(PrometheusRegistry registry, PrometheusConfig config, LedgerTotals totals) {
    super(registry, config.prometheusProperties());
    this.totals = totals;
  }

  @Override
  @ReadOperation(producesFrom = PrometheusOutputFormat.class)
  public WebEndpointResponse<byte[]> scrape(
      PrometheusOutputFormat format, @Nullable Set<String> includedNames) {
    return totals.withConsistentSnapshot(() -> super.scrape(format, includedNames));
  }
}
