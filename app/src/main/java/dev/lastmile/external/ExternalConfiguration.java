package dev.lastmile.external;

import dev.lastmile.coordination.OperationStore;
import dev.lastmile.coordination.Overdue;
import dev.lastmile.coordination.RedisTime;
import dev.lastmile.coordination.Submissions;
import dev.lastmile.telemetry.HopRecorder;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.http.HttpClient;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.support.RestClientAdapter;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;
import tools.jackson.databind.json.JsonMapper;

/** Builds the client of the external system, with time-outs, and the submitter on top of it. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ExternalProperties.class)
class ExternalConfiguration {
  @Bean
  ExternalSystem externalSystem(RestClient.Builder builder, ExternalProperties properties) {
    HttpClient http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(properties.connectTimeout())
            .build();
    JdkClientHttpRequestFactory requests = new JdkClientHttpRequestFactory(http);
    requests.setReadTimeout(properties.readTimeout());
    RestClient client = builder.baseUrl(properties.url()).requestFactory(requests).build();
    return HttpServiceProxyFactory.builderFor(RestClientAdapter.create(client))
        .build()
        .createClient(ExternalSystem.class);
  }

  @Bean
  JobPoller jobPoller(
      ExternalSystem external,
      ExternalProperties properties,
      OperationStore store,
      Overdue overdue,
      RedisTime time,
      HopRecorder hops,
      JsonMapper mapper,
      MeterRegistry meters) {
    return new JobPoller(external, properties, store, overdue, time, hops, mapper, meters);
  }

  @Bean
  JobSubmitter jobSubmitter(
      ExternalSystem external,
      ExternalProperties properties,
      OperationStore store,
      Submissions submissions,
      RedisTime time,
      HopRecorder hops,
      JsonMapper mapper,
      MeterRegistry meters) {
    JobSubmitter submitter =
        new JobSubmitter(external, properties, store, submissions, time, hops, mapper, meters);
    store.onCreated(submitter::submitSoon);
    return submitter;
  }
}
