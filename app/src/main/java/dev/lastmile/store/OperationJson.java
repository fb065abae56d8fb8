package dev.lastmile.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.OperationId;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Encodes an operation as a JSON object without its end. The script appends progress and version,
 * and the receiver appends the time of the change.
 */
final class OperationJson {
  private static final JsonFactory JSON = new JsonFactory();

  private OperationJson() {}

  /** UTF-8 of the object without its closing brace; no line breaks. */
  static byte[] encode(OperationId id, OperationMetadata metadata, StateChange state) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      json.writeStringProperty("operationId", id.value());
      json.writeStringProperty("kind", metadata.kind());
      json.writeStringProperty("status", state.status().name());
      json.writeName("message");
      if (state.message() == null) {
        json.writeNull();
      } else {
        json.writeString(state.message());
      }
      json.writeName("result");
      json.writeRawValue(state.result() == null ? "null" : state.result());
      json.writeStringProperty("correlationId", metadata.correlationId().value());
      json.writeEndObject();
    }
    byte[] closed = bytes.toByteArray();
    assert closed[closed.length - 1] == '}' : new String(closed, UTF_8);
    return Arrays.copyOf(closed, closed.length - 1);
  }
}
