package dev.lastmile.startup;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import com.redis.testcontainers.RedisContainer;
import dev.lastmile.Lastmile;
import dev.lastmile.testkit.redis.RedisServer;
import io.restassured.specification.RequestSpecification;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.health.registry.HealthContributorRegistry;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.springframework.context.annotation.Bean;

/**
 * A container that Spring Boot describes is used, whatever the settings say. This package is not
 * scanned for components.
 */
@EnabledIf("hasContainer")
@SpringBootTest(
    classes = {Lastmile.class, ServiceConnectionIT.Redis.class},
    webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
    properties = {
      "management.server.port=0",
      "spring.data.redis.host=redis.invalid",
      "lastmile.identity.key=0123456789012345678901234567890123456789"
    })
class ServiceConnectionIT {
  private static RedisContainer container;

  @LocalServerPort private int port;
  @LocalManagementPort private int managementPort;
  @Autowired private HealthContributorRegistry health;

  static boolean hasContainer() {
    container = RedisServer.container();
    return container != null;
  }

  @TestConfiguration(proxyBeanMethods = false)
  static class Redis {
    @Bean
    @ServiceConnection
    RedisContainer redis() {
      return container;
    }
  }

  @Test
  void theContainerStoresAnOperation() {
    await("the replica to be ready")
        .until(() ->
            given().port(managementPort).get("/actuator/health/readiness").statusCode() == 200);
    String cookie =
        given()
            .port(port)
            .post("/api/identity")
            .then()
            .statusCode(204)
            .extract()
            .header("Set-Cookie");
    RequestSpecification browser = given().port(port).header("Cookie", cookie.split(";", 2)[0]);
    browser
        .contentType("application/json")
        .body("{\"kind\":\"export\"}")
        .post("/api/operations")
        .then()
        .statusCode(201)
        .body("version", equalTo(1));
  }

  @Test
  void oneContributorReportsTheHealthOfRedis() {
    assertThat(health.stream().map(entry -> entry.name())).containsOnlyOnce("redis");
    assertThat(health.getContributor("redis").getClass().getName())
        .isEqualTo("dev.lastmile.pubsub.RedisHealthIndicator");
  }
}
