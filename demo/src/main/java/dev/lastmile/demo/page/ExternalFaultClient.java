package dev.lastmile.demo.page;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/** The faults of the simulated external system, which it keeps itself. Any thread. */
final class ExternalFaultClient {
  private static final ParameterizedTypeReference<List<String>> NAMES =
      new ParameterizedTypeReference<>() {};

  private final RestClient client;
  private final Duration endsAfter;

  ExternalFaultClient(
      RestClient.Builder builder, String url, Duration timeout, Duration endsAfter) {
    HttpClient http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
    JdkClientHttpRequestFactory requests = new JdkClientHttpRequestFactory(http);
    requests.setReadTimeout(timeout);
    this.client = builder.baseUrl(url).requestFactory(requests).build();
    this.endsAfter = endsAfter;
  }

  /** Those that are on; empty if it does not answer. */
  Optional<Set<String>> on() {
    try {
      List<String> names = client.get().uri("/faults").retrieve().body(NAMES);
      return Optional.of(Set.copyOf(names == null ? List.of() : names));
    } catch (RestClientException e) {
      return Optional.empty();
    }
  }

  /** Switches one on, or fails as a problem. */
  void switchOn(DemoFault fault) {
    send(client.put().uri("/faults/{name}?seconds={end}", fault.wireName(), endsAfter.toSeconds()));
  }

  /** Switches one off, or fails as a problem. */
  void switchOff(DemoFault fault) {
    send(client.delete().uri("/faults/{name}", fault.wireName()));
  }

  private static void send(RestClient.RequestHeadersSpec<?> request) {
    try {
      var _ = request.retrieve().toBodilessEntity();
    } catch (RestClientException e) {
      throw DemoProblem.externalSilent();
    }
  }
}
