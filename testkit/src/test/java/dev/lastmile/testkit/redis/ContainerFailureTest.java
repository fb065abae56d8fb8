package dev.lastmile.testkit.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerFailureTest {
  @TempDir private Path folder;

  private ContainerFailure failure(Path file, Duration later) {
    return new ContainerFailure(file, Clock.offset(Clock.systemUTC(), later));
  }

  @Test
  void isRememberedForOtherJvms_butNotForever() {
    Path file = folder.resolve("failure");
    assertThat(failure(file, Duration.ZERO).remembered()).isEmpty();

    failure(file, Duration.ZERO).remember("no such host");
    assertThat(failure(file, Duration.ZERO).remembered()).contains("no such host");
    assertThat(failure(file, Duration.ofMinutes(29)).remembered()).contains("no such host");
    assertThat(failure(file, Duration.ofMinutes(31)).remembered()).isEmpty();
  }

  @Test
  void isForgotten_whereThereIsNoFolder() {
    Path file = folder.resolve("target").resolve("failure");
    failure(file, Duration.ZERO).remember("no such host");
    assertThat(failure(file, Duration.ZERO).remembered()).isEmpty();
  }
}
