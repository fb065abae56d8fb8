package dev.lastmile.interop;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.interop.Client.Event;
import dev.lastmile.interop.Client.Heard;
import dev.lastmile.testkit.browser.Browser;
import dev.lastmile.testkit.browser.Webhooks;
import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.process.Relay;
import dev.lastmile.testkit.process.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients that we did not write, each against a live replica: it connects, loses its connection,
 * resumes with what it missed and nothing else, and acks; where it comes with a library for
 * webhooks, that one signs the callbacks, on another replica.
 */
@Tag("long")
class InteropIT {
  private static final StringBuilder TABLE =
      new StringBuilder("| Stream | connects | resumes | acks | Webhooks signed by |\n")
          .append("|---|---|---|---|---|\n");

  private final Cluster cluster = Cluster.shared();
  private final Browser browser = Browser.at(cluster.replica(1));

  private Client client(String name, Relay relay) throws Exception {
    String cookie = browser.cookie();
    String secret = cluster.secret();
    Path folder = Path.of("target", "interop");
    Files.createDirectories(folder);
    for (String script : List.of("client.mjs", "client.py")) {
      Files.copy(Path.of("..", "interop", script), folder.resolve(script), REPLACE_EXISTING);
    }
    return switch (name) {
      case "okhttp-eventsource" -> new JavaClient(true, relay.uri(), cookie, secret);
      case "jdk" -> new JavaClient(false, relay.uri(), cookie, secret);
      case "curl" -> {
        Tool.of("curl");
        yield new CurlClient(relay.uri(), cookie);
      }
      case "npm" -> {
        // What .ci/interop has installed there.
        Tool.folder(folder.resolve("node_modules"));
        List<String> command = List.of(Tool.of("node").toString(), "client.mjs");
        yield new ProcessClient(command, true, relay.uri(), cookie, secret);
      }
      default -> {
        Path python = Tool.folder(folder.resolve("venv")).resolve("bin").resolve("python");
        List<String> command = List.of(python.toAbsolutePath().toString(), "client.py", name);
        yield new ProcessClient(command, false, relay.uri(), cookie, secret);
      }
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"okhttp-eventsource", "jdk", "curl", "npm", "sseclient", "httpx"})
  void aClientConnectsResumesAndAcks(String name) throws Exception {
    String id = browser.create(cluster.replica(2));
    try (Relay relay = Relay.to(cluster.replica(1).uri());
        Client client = client(name, relay)) {
      Heard heard = new Heard();
      client.listen("", heard);
      await(heard, 1);
      assertThat(heard.events().getFirst().name()).isEqualTo("ready");
      callback(client, id, Webhooks.running(1, 10));
      Event second = await(heard, 2);
      assertThat(second.id()).isEqualTo(second.data().path("cursor").asString());

      int before = heard.events().size();
      relay.cut();
      callback(client, id, Webhooks.running(2, 20));
      if (!client.reconnects()) {
        client.close();
        client.listen(second.id(), heard);
      }
      await(heard, 3);
      List<Event> after = heard.events().subList(before, heard.events().size());
      assertThat(after.getFirst().name()).isEqualTo("ready");
      assertThat(after.stream().filter(e -> e.name().equals("update")).toList())
          .as("what it missed, and nothing else")
          .extracting(e -> e.data().path("version").asInt())
          .containsExactly(3);

      assertThat(client.ack(id, 3)).isEqualTo(204);
      assertThat(browser.hops(cluster.replica(3), id, 3)).contains("client_acked");
      TABLE.append(
          "| %s | yes | %s | yes | %s |%n"
              .formatted(
                  client.stream(),
                  client.reconnects() ? "by itself" : "with `Last-Event-ID`",
                  client.webhook()));
    }
  }

  private void callback(Client client, String id, String body) throws Exception {
    if (client.webhook().isEmpty()) {
      new Webhooks(cluster.secret()).outcome(cluster.replica(3), id, body);
    } else {
      assertThat(client.callback(id, body)).contains("stored");
    }
  }

  private static Event await(Heard heard, int version) {
    return Awaitility.await("version " + version)
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                heard.events().stream()
                    .filter(e -> e.name().equals("update"))
                    .filter(e -> e.data().path("version").asInt() == version)
                    .findFirst()
                    .orElse(null),
            found -> found != null);
  }

  @AfterAll
  static void report() throws Exception {
    System.out.println("REPORT clients\n" + TABLE);
    Files.writeString(Path.of("target", "interop.md"), TABLE);
  }
}
