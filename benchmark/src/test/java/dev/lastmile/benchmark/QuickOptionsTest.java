package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class QuickOptionsTest {
  @Test
  void readsWhatItSharesWithTheBenchmarkAndWhatItDoesNot() {
    QuickOptions quick =
        QuickOptions.parse(
            "--baseline-folder",
            "/a/b",
            "--rounds",
            "1",
            "--anywhere",
            "--baseline-commit",
            "1234567");
    assertThat(quick.baseline()).isEqualTo(Path.of("/a/b"));
    assertThat(quick.commit()).isEqualTo("1234567");
    assertThat(quick.options().rounds()).isEqualTo(1);
    assertThat(quick.options().anywhere()).isTrue();
    assertThat(quick.options().streams()).isEqualTo(QuickOptions.DEFAULT.streams());
    assertThat(quick.options().json()).isEqualTo(QuickOptions.DEFAULT.json());
  }

  @Test
  void saysWhatIsWrong() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> QuickOptions.parse())
        .withMessageContaining("no baseline");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> QuickOptions.parse("--baseline-folder", "/a", "--groups", "idle"))
        .withMessage("--groups does not apply to --quick");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> QuickOptions.parse("--baseline-folder", "/a", "--fast", "1"))
        .withMessage("--fast is no option");
  }
}
