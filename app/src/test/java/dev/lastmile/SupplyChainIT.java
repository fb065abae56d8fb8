package dev.lastmile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.Generated;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is in the jar, by its own bill of materials, and under which licences. */
class SupplyChainIT {
  private static final Path SBOM =
      Path.of("target", "classes", "META-INF", "sbom", "application.cdx.json");

  /** What may be given on under Apache-2.0; of several that are offered one has to be here. */
  private static final Set<String> ALLOWED =
      Set.of("Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "EPL-2.0");

  private static Map<String, Set<String>> licences() throws IOException {
    Map<String, Set<String>> byComponent = new TreeMap<>();
    JsonNode components = new JsonMapper().readTree(Files.readString(SBOM)).path("components");
    for (JsonNode component : components) {
      Set<String> licences = new TreeSet<>();
      for (JsonNode entry : component.path("licenses")) {
        JsonNode licence = entry.path("license");
        licences.add(
            licence
                .path("id")
                .asString(licence.path("name").asString(entry.path("expression").asString(""))));
      }
      byComponent.put(
          component.path("group").asString()
              + ":"
              + component.path("name").asString()
              + " "
              + component.path("version").asString(),
          licences);
    }
    return byComponent;
  }

  @Test
  void everyLicenceIsAllowedAndListed() throws IOException {
    StringBuilder table = new StringBuilder("| Component | Licences |\n|---|---|\n");
    Map<String, Set<String>> all = licences();
    assertThat(all).hasSizeGreaterThan(40);
    System.out.printf("REPORT SBOM: %d components, %d bytes%n", all.size(), Files.size(SBOM));
    all.forEach((component, licences) -> {
      assertThat(licences).as(component).anyMatch(ALLOWED::contains);
      table.append("| `%s` | %s |%n".formatted(component, String.join(", ", licences)));
    });
    Generated.assertPart(Path.of("..", "docs", "reference", "licences.md"), table.toString());
  }
}
