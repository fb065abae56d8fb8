package dev.lastmile.interop;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A client that somebody else wrote. */
interface Client extends AutoCloseable {
  JsonMapper JSON = new JsonMapper();

  /** One event of a stream as the client gave it. */
  record Event(String name, String id, JsonNode data) {
    static Event of(String name, String id, String data) {
      return new Event(name, id, JSON.readTree(data));
    }
  }

  /** What a client has heard; written by its own threads. */
  final class Heard {
    private final List<Event> events = new CopyOnWriteArrayList<>();

    void add(Event event) {
      events.add(event);
    }

    List<Event> events() {
      return events;
    }
  }

  /** Name and version. */
  String stream();

  /** Name and version of what signs webhooks; empty for none. */
  String webhook();

  /** Whether it comes back by itself when its connection breaks. */
  boolean reconnects();

  /** Opens the stream. */
  void listen(String lastEventId, Heard heard) throws Exception;

  /** Acks a version; the status. */
  int ack(String operationId, long version) throws Exception;

  /** Sends a signed callback; the answer's body. */
  String callback(String operationId, String body) throws Exception;

  @Override
  void close();
}
