package dev.lastmile.telemetry;

import ch.qos.logback.classic.spi.ILoggingEvent;
import java.util.List;
import java.util.Map;
import net.logstash.logback.composite.AbstractJsonProvider;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;
import tools.jackson.core.JsonGenerator;

/**
 * Writes the ids for searches into each log line, always under the same names. An id is empty if
 * the line belongs to no operation. Without a trace id in the event, the line has that of the
 * current request, which the agent puts into the MDC.
 */
public final class LogIds extends AbstractJsonProvider<ILoggingEvent> {
  private static final List<String> NAMES = List.of("correlation_id", "trace_id", "operation_id");

  @Override
  public void writeTo(JsonGenerator json, ILoggingEvent event) {
    Map<String, String> request = event.getMDCPropertyMap();
    for (String name : NAMES) {
      String value = find(event.getKeyValuePairs(), name);
      json.writeStringProperty(name, value == null ? request.getOrDefault(name, "") : value);
    }
  }

  private static @Nullable String find(@Nullable List<KeyValuePair> pairs, String name) {
    if (pairs != null) {
      for (KeyValuePair pair : pairs) {
        if (pair.key.equals(name)) {
          return String.valueOf(pair.value);
        }
      }
    }
    return null;
  }
}
