package dev.lastmile.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/** A client in another language: a script of {@code interop/}, in a process of its own. */
final class ProcessClient implements Client {
  private final List<String> command;
  private final boolean reconnects;
  private final URI replica;
  private final String cookie;
  private final String secret;
  private final JsonNode versions;
  private Process listening;

  ProcessClient(List<String> command, boolean reconnects, URI replica, String cookie, String secret)
      throws Exception {
    this.command = command;
    this.reconnects = reconnects;
    this.replica = replica;
    this.cookie = cookie;
    this.secret = secret;
    this.versions = run("versions");
  }

  private Process start(String... arguments) throws IOException {
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(all)
            .directory(Path.of("target", "interop").toFile())
            .redirectError(Path.of("target", "interop", "errors.txt").toFile());
    builder.environment().put("REPLICA", replica.toString());
    builder.environment().put("COOKIE", cookie);
    builder.environment().put("SECRET", secret);
    return builder.start();
  }

  private JsonNode run(String... arguments) throws Exception {
    Process process = start(arguments);
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(command + " " + arguments[0]).isZero();
    return JSON.readTree(output);
  }

  @Override
  public String stream() {
    return versions.path("stream").asString();
  }

  @Override
  public String webhook() {
    return versions.path("webhook").asString();
  }

  @Override
  public boolean reconnects() {
    return reconnects;
  }

  @Override
  public void listen(String lastEventId, Heard heard) throws Exception {
    Process process = start("listen", lastEventId);
    listening = process;
    Thread.ofVirtual().start(() -> read(process, heard));
  }

  private static void read(Process process, Heard heard) {
    try (BufferedReader lines = process.inputReader(UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode event = JSON.readTree(line);
        heard.add(
            new Event(
                event.path("event").asString(), event.path("id").asString(), event.path("data")));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public int ack(String operationId, long version) throws Exception {
    return run("ack", operationId, Long.toString(version)).path("status").asInt();
  }

  @Override
  public String callback(String operationId, String body) throws Exception {
    return run("callback", operationId, body).path("body").asString();
  }

  @Override
  public void close() {
    if (listening != null) {
      listening.destroy();
    }
  }
}
