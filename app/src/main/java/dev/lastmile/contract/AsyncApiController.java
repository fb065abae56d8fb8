package dev.lastmile.contract;

import io.swagger.v3.oas.annotations.Hidden;
import java.io.IOException;
import java.io.InputStream;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Serves the description of the stream, read once. */
@Hidden
@RestController
class AsyncApiController {
  private static final MediaType YAML = MediaType.parseMediaType("application/yaml");

  private final byte[] document;

  AsyncApiController() throws IOException {
    try (InputStream in = ContractConfiguration.read("asyncapi.yaml")) {
      document = in.readAllBytes();
    }
  }

  @GetMapping("/asyncapi.yaml")
  ResponseEntity<byte[]> document() {
    return ResponseEntity.ok().contentType(YAML).body(document);
  }
}
