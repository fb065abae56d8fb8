package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void withoutAnyAllGroupsAreMeasured() {
    assertThat(Options.parse()).isEqualTo(Options.DEFAULT);
    assertThat(Options.DEFAULT.groups()).isEqualTo(Benchmark.GROUPS);
  }

  @Test
  void readsWhatIsGiven() {
    Options options =
        Options.parse(
            "--streams",
            "100",
            "--groups",
            "idle,kill",
            "--anywhere",
            "--windows",
            "2,8",
            "--jvm",
            "-Xmx2g -XX:+UseZGC");
    assertThat(options.streams()).isEqualTo(100);
    assertThat(options.groups()).containsExactly("idle", "kill");
    assertThat(options.anywhere()).isTrue();
    assertThat(options.windows()).containsExactly(2, 8);
    assertThat(options.jvm()).isEqualTo(List.of("-Xmx2g", "-XX:+UseZGC"));
    assertThat(options.rounds()).isEqualTo(Options.DEFAULT.rounds());
  }

  @Test
  void saysWhatIsWrong() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Options.parse("--streams", "many"))
        .withMessage("--streams has to be a whole number from 1 to 1000000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Options.parse("--rounds"))
        .withMessageContaining("value is missing");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Options.parse("--groups", "idle,else"))
        .withMessageContaining("else is none of");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Options.parse("--fast", "1"))
        .withMessage("--fast is no option");
  }
}
