package dev.lastmile.telemetry;

import ch.qos.logback.classic.spi.ILoggingEvent;
import java.util.List;
import java.util.Map;
import net.logstash.logback.composite.AbstractJsonProvider;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;
import tools.jackson.core.JsonGenerator;

/**
 * Writes the ids by which lines are found, in each line and always under the same names: empty
 * where a line is about no operation. The trace of the request that a thread works for, put there
 * by the agent, stands in where the line names none.
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
