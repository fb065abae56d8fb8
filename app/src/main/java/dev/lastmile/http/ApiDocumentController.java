package dev.lastmile.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import org.springframework.core.io.ClassPathResource;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.json.JsonMapper;

/**
 * Serves the OpenAPI document of all endpoints, and the AsyncAPI document of the stream. Both are
 * files, which tests compare with the controllers and with every response; they are read once at
 * the start.
 */
@RestController
class ApiDocumentController {
  private static final MediaType YAML = MediaType.parseMediaType("application/yaml");

  private final byte[] openApi;
  private final byte[] openApiJson;
  private final byte[] asyncApi;

  ApiDocumentController() throws IOException {
    openApi = read("openapi.yaml");
    openApiJson =
        JsonMapper.shared().writeValueAsBytes(new Yaml().load(new String(openApi, UTF_8)));
    asyncApi = read("asyncapi.yaml");
  }

  private static byte[] read(String name) throws IOException {
    try (InputStream in =
        new ClassPathResource(name, ApiDocumentController.class).getInputStream()) {
      return in.readAllBytes();
    }
  }

  @GetMapping("/v3/api-docs")
  ResponseEntity<byte[]> openApiAsJson() {
    return ResponseEntity.ok().contentType(MediaType.APPLICATION_JSON).body(openApiJson);
  }

  @GetMapping("/v3/api-docs.yaml")
  ResponseEntity<byte[]> openApi() {
    return ResponseEntity.ok().contentType(YAML).body(openApi);
  }

  @GetMapping("/asyncapi.yaml")
  ResponseEntity<byte[]> asyncApi() {
    return ResponseEntity.ok().contentType(YAML).body(asyncApi);
  }
}
