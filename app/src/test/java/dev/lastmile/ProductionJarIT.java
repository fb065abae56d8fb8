package dev.lastmile;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.cluster.Cluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nothing of the demo, of the load generator or of the testkit is in the jar for production. */
class ProductionJarIT {
  private static final Path JAR = Path.of("target", "lastmile-boot.jar");
  private static final String CLASSES = "BOOT-INF/classes/";

  @Test
  void itsClassesAreThoseOfTheService() throws IOException {
    assertThat(entries())
        .contains(CLASSES + "dev/lastmile/Lastmile.class", CLASSES + "static/lastmile.js")
        .noneMatch(name -> name.matches(".*/dev/lastmile/(demo|load|externalsystem|testkit)/.*"));
  }

  @Test
  void itsResourcesAndLibrariesAreThoseOfTheService() throws IOException {
    assertThat(entries())
        .anyMatch(name -> name.matches("BOOT-INF/lib/lettuce-core-.*"))
        .noneMatch(name -> name.startsWith(CLASSES + "demo/"))
        .noneMatch(name -> name.matches(".*application-(demo|load|external-system)\\.yaml"))
        .noneMatch(name -> name.matches("BOOT-INF/lib/(lastmile|uplot|webjars|junit|testcont).*"));
  }

  @Test
  void itsSettingsAreThoseOfTheService() throws IOException {
    String metadata = text("META-INF/spring-configuration-metadata.json");
    assertThat(metadata)
        .contains("\"lastmile.stream.heartbeat\"")
        .doesNotContain("lastmile.demo.", "lastmile.load.", "lastmile.external-system.");
    assertThat(text(CLASSES + "application.yaml")).doesNotContain("demo:", "external-system:");
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /api/demo/faults",
    "PUT, /api/demo/faults/deaf",
    "DELETE, /api/demo/faults/deaf",
    "GET, /api/demo/account",
    "POST, /api/demo/slow-reader",
    "GET, /page/page.js",
    "GET, /webjars/uplot/dist/uPlot.esm.js",
    "POST, /jobs",
    "GET, /books"
  })
  void noEndpointIsTheDemos(String method, String path) {
    given()
        .baseUri(Cluster.shared().replica(1).uri().toString())
        .request(method, path)
        .then()
        .statusCode(404);
  }

  @Test
  void theRootGivesAnIdentityAndNoPage() {
    given()
        .baseUri(Cluster.shared().replica(1).uri().toString())
        .get("/")
        .then()
        .statusCode(200)
        .contentType("text/plain")
        .cookie("lastmile_identity");
  }

  private static List<String> entries() throws IOException {
    try (ZipFile jar = new ZipFile(JAR.toFile())) {
      return jar.stream().map(ZipEntry::getName).toList();
    }
  }

  private static String text(String entry) throws IOException {
    try (ZipFile jar = new ZipFile(JAR.toFile())) {
      byte[] bytes = jar.getInputStream(jar.getEntry(entry)).readAllBytes();
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }
}
