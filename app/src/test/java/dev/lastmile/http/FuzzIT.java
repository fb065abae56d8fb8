package dev.lastmile.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lastmile.testkit.cluster.Cluster;
import dev.lastmile.testkit.cluster.LastmileProcess;
import dev.lastmile.testkit.process.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * schemathesis makes requests from the served OpenAPI document, valid and not, one after another
 * and in chains. Nothing it sends may get a 5xx or an answer that is not documented.
 */
@Tag("long")
class FuzzIT {
  private static final Pattern FIGURES =
      Pattern.compile("(?m)^( *(Selected|Tested): .*|.*\\d+ generated.*|=.* in [\\d.]+s =.*)$");

  @Test
  void noRequestGetsA5xxOrAnAnswerThatIsNotDocumented() throws Exception {
    Path fuzzer = Tool.of("st", Path.of("target", "fuzz", "bin"));
    try (Cluster cluster =
        Cluster.builder()
            .replicas(1)
            .with("lastmile.rate.creations", 1_000_000)
            .with("lastmile.rate.reads", 1_000_000)
            .with("lastmile.rate.acks", 1_000_000)
            .start()) {
      LastmileProcess replica = cluster.replica(1);
      Path folder = Files.createDirectories(Path.of("target", "fuzz-run"));
      Path output = folder.resolve("output.txt").toAbsolutePath();
      Path sources = Path.of("..", "interop", "fuzz").toAbsolutePath();
      ProcessBuilder builder =
          new ProcessBuilder(
                  fuzzer.toString(),
                  "--config-file",
                  sources.resolve("schemathesis.toml").toString(),
                  "run",
                  replica.uri() + "/v3/api-docs",
                  "--no-color")
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile());
      builder.environment().put("SCHEMATHESIS_HOOKS", "hooks");
      builder.environment().put("PYTHONPATH", sources.toString());
      builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
      builder.environment().put("LASTMILE_WEBHOOK_SECRET", cluster.secret());
      builder.environment().put("LASTMILE_REPLICA_URL", replica.uri().toString());
      Process process = builder.start();
      try {
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("it ends in time").isTrue();
      } finally {
        process.destroyForcibly();
      }
      String text = Files.readString(output);
      FIGURES.matcher(text).results().forEach(line -> System.out.println("REPORT " + line.group()));
      assertThat(process.exitValue()).as(text).isZero();
      assertThat(text).containsPattern("\\b[1-9]\\d* generated");
    }
  }
}
