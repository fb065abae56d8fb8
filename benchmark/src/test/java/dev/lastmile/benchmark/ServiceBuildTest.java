package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class ServiceBuildTest {
  private static final Path JAR = Path.of("service.jar");

  private static ServiceBuild build(String text) throws IOException {
    return build(new StringReader(text));
  }

  private static ServiceBuild build(Reader text) throws IOException {
    Properties properties = new Properties();
    properties.load(text);
    return ServiceBuild.of(JAR, properties);
  }

  @Test
  void settingsBecomeArguments() throws IOException {
    assertThat(build("setting.b.c=1\nsetting.a=x=y\njar=some.jar").arguments())
        .containsExactly("--a=x=y", "--b.c=1");
  }

  @Test
  void placeholdersAreFilledIn() throws IOException {
    ServiceBuild build = build("environment.URL=redis://{host}:{port}\nenvironment.FIXED=$1");
    assertThat(build.environment(Map.of("host", "a$b", "port", "1")))
        .isEqualTo(Map.of("URL", "redis://a$b:1", "FIXED", "$1"));
  }

  @Test
  void whatCannotBeMeantIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> build("settings.a=1"))
        .withMessage("settings.a is unknown");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> build("environment.A={nothing}").environment(Map.of()))
        .withMessage("no value for {nothing}");
  }

  @Test
  void theFileOfThisCommitHasAllThatAReplicaNeeds() throws IOException {
    ServiceBuild build = build(Files.newBufferedReader(Path.of("service.properties")));
    Map<String, String> environment =
        build.environment(
            Map.of(
                "port", "1",
                "management-port", "2",
                "replica", "A",
                "external-url", "http://external",
                "webhook-secret", "secret",
                "identity-key", "key",
                "redis-url", "redis://redis"));
    assertThat(environment.values())
        .contains("1", "2", "A", "http://external", "secret", "key", "redis://redis");
    assertThat(build.arguments()).isNotEmpty();
  }
}
