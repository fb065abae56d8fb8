package dev.lastmile.interop;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A third-party client of streams, which may also sign webhooks. */
interface Client extends AutoCloseable {
  JsonMapper JSON = new JsonMapper();

  /** One event of a stream as the client delivered it. */
  record Event(String name, String id, JsonNode data) {
    static Event of(String name, String id, String data) {
      return new Event(name, id, JSON.readTree(data));
    }
  }

  /** The events that a client received. Its own threads add them. */
  final class Heard {
    private final List<Event> events = new CopyOnWriteArrayList<>();

    void add(Event event) {
      events.add(event);
    }

    List<Event> events() {
      return events;
    }
  }

  /** Name and version of the client. */
  String stream();

  /** Name and version of the library that signs webhooks; empty for none. */
  String webhook();

  /** Whether the client reconnects by itself when its connection breaks. */
  boolean reconnects();

  /** Opens the stream. */
  void listen(String lastEventId, Heard heard) throws Exception;

  /** Acks a version; returns the status. */
  int ack(String operationId, long version) throws Exception;

  /** Sends a signed callback; returns the body of the response. */
  String callback(String operationId, String body) throws Exception;

  @Override
  void close();
}
