package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.info.BuildProperties;

/** The gauge names the build, and says so where it is not known. */
class BuildInfoTest {
  private static void assertExported(
      @Nullable BuildProperties build, String version, String revision) {
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    new BuildInfo(build).bindTo(meters);
    assertThat(
            meters
                .get("lastmile.build.info")
                .tags("version", version, "revision", revision)
                .gauge()
                .value())
        .isEqualTo(1);
  }

  @Test
  void whatTheBuildWroteIsExported() {
    Properties written = new Properties();
    written.setProperty("version", "1.2.3");
    written.setProperty("revision", "0123abc");
    assertExported(new BuildProperties(written), "1.2.3", "0123abc");
  }

  @Test
  void whatIsNotKnownIsExportedAsUnknown() {
    assertExported(null, "unknown", "unknown");
    Properties written = new Properties();
    written.setProperty("version", "1.2.3");
    written.setProperty("revision", "");
    assertExported(new BuildProperties(written), "1.2.3", "unknown");
  }
}
