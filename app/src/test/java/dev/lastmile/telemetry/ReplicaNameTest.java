package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A replica in a compose project is called after its container. */
class ReplicaNameTest {
  @ParameterizedTest
  @CsvSource({
    "4f2b9a, lastmile-app-3.lastmile_default, app-3",
    "4f2b9a, my-shop-app-12.my-shop_back, app-12",
    "4f2b9a, my-shop-my-app-1.my-shop_default, my-app-1",
    "web-7, web-7.example.org, web-7",
    "web-7, 10.1.2.3, web-7",
    "web-7, other-app-3.lastmile_default, web-7",
    "web-7, web-7, web-7"
  })
  void itIsTheContainersNameWithoutTheProjects_elseTheHosts(
      String host, String canonical, String name) {
    assertThat(ReplicaName.of(host, canonical)).isEqualTo(name);
  }
}
