package dev.lastmile.interop;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/** curl, as in the README: the lines of the stream as they are. */
final class CurlClient implements Client {
  private final URI replica;
  private final String cookie;
  private Process listening;

  CurlClient(URI replica, String cookie) {
    this.replica = replica;
    this.cookie = cookie;
  }

  private Process start(String path, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("curl", "-sN", "-b", cookie));
    command.addAll(List.of(arguments));
    command.add(replica.resolve(path).toString());
    return new ProcessBuilder(command).start();
  }

  @Override
  public String stream() {
    try {
      Process process = new ProcessBuilder("curl", "--version").start();
      String line = new String(process.getInputStream().readAllBytes(), UTF_8);
      return String.join(" ", List.of(line.split(" ")).subList(0, 2));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String webhook() {
    return "";
  }

  @Override
  public boolean reconnects() {
    return false;
  }

  @Override
  public void listen(String lastEventId, Heard heard) throws Exception {
    listening =
        lastEventId.isEmpty()
            ? start("/api/stream")
            : start("/api/stream", "-H", "Last-Event-ID: " + lastEventId);
    LineReader.read(listening.inputReader(UTF_8).lines(), heard);
  }

  @Override
  public int ack(String operationId, long version) throws Exception {
    String body =
        "{\"acks\":[{\"operationId\":\"%s\",\"version\":%d,\"via\":\"replay\"}]}"
            .formatted(operationId, version);
    Process process =
        start(
            "/api/acks", "-H", "Content-Type: application/json", "-d", body, "-w", "%{http_code}");
    return Integer.parseInt(new String(process.getInputStream().readAllBytes(), UTF_8));
  }

  @Override
  public String callback(String operationId, String body) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    if (listening != null) {
      listening.destroy();
    }
  }
}
