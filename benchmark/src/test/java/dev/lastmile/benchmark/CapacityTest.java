package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.lastmile.testkit.Generated;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The calculation, and {@code docs/explanation/capacity.md}, which shows its results. */
class CapacityTest {
  private static final Path PAGE = Path.of("..", "docs", "explanation", "capacity.md");

  /** From the demo to the largest deployment that the page is about. */
  private static final List<String> LOADS =
      List.of(
          "--streams 10000 --updates 1000",
          "--streams 10000 --updates 1000 --kept 600",
          "--streams 100000 --updates 5000 --replicas 10 --kept 600",
          "--streams 300000 --updates 20000 --replicas 30 --primaries 4 --kept 600",
          "--streams 1000000 --updates 50000 --replicas 100 --primaries 16 --kept 600",
          "--streams 1000000 --updates 50000 --replicas 100 --primaries 16 --kept 600 --owners 2",
          "--streams 1000000 --updates 50000 --replicas 100 --primaries 16");

  @Test
  void thePageShowsTheConstantsAndTheReports() {
    StringBuilder text = new StringBuilder(Capacity.constants());
    for (String load : LOADS) {
      text.append("\n### `").append(load).append("`\n\n").append(report(load));
    }
    Generated.assertPart(PAGE, text.toString());
  }

  private static String report(String load) {
    return Capacity.report(load.split(" ", -1));
  }

  private static double used(String load, String what) {
    Matcher row =
        Pattern.compile(Pattern.quote("| " + what + " | ") + "([0-9.]+)").matcher(report(load));
    assertThat(row.find()).as(what).isTrue();
    return Double.parseDouble(row.group(1));
  }

  @Test
  void twiceTheUpdatesNeedTwiceTheNetwork() {
    assertThat(used("--updates 20000", "primary: network"))
        .isCloseTo(2 * used("--updates 10000", "primary: network"), withPercentage(5));
  }

  @Test
  void coresOfTwiceTheSpeedAreBusyForHalfTheTime() {
    String load = "--updates 20000 --streams 30000";
    for (String what : List.of("primary: CPU of the command thread", "replica: CPU")) {
      assertThat(used(load + " --core-speed 200", what))
          .isCloseTo(used(load, what) / 2, withPercentage(2));
    }
  }

  @Test
  void thePrimaryWithMostPartitionsDecides() {
    double ofEight = used("--updates 10000 --primaries 8", "primary: network");
    assertThat(used("--updates 10000 --primaries 16", "primary: network"))
        .isCloseTo(ofEight / 2, withPercentage(5));
    assertThat(used("--updates 10000 --primaries 9", "primary: network"))
        .as("two partitions at most of nine primaries")
        .isEqualTo(ofEight);
  }

  @Test
  void whatIsTooMuchIsSaid() {
    assertThat(report("--streams 100000 --replicas 3 --kept 600"))
        .contains("Too much: replica: streams. It is enough for 0.60 times this load.")
        .contains("At most half of each limit: --replicas 10 ");
  }

  @Test
  void whatIsNeededFits() {
    String load = "--streams 300000 --updates 20000 --kept 600";
    Matcher needed =
        Pattern.compile("half of each limit: (--replicas \\d+ --primaries \\d+)")
            .matcher(report(load));
    assertThat(needed.find()).isTrue();
    assertThat(report(load + " " + needed.group(1)))
        .contains("First limit: ")
        .doesNotContainPattern("\\| (5[1-9]|[6-9]\\d|\\d{3,}) % \\|");
  }

  @Test
  void noMoreOperationsAreKeptThanAChannelHas() {
    assertThat(used("--updates 10000 --streams 1000 --maxmemory 999999", "primary: memory"))
        .isEqualTo(
            used(
                "--updates 10000 --streams 1000 --maxmemory 999999 --kept 999999",
                "primary: memory"));
  }

  @ParameterizedTest
  @CsvSource({
    "--streams 0,--streams: a whole number from 1 to",
    "--streams -1,--streams: a whole number from 1 to",
    "--streams,--streams: has no value",
    "--streams 1 --streams 2,--streams: is given twice",
    "--stream 1,--stream: not an option",
    "--primaries 17,--primaries: at most 16",
    "--owners 4,--owners: at most the number of replicas"
  })
  void badOptionsAreNamed(String options, String error) {
    assertThatThrownBy(() -> report(options)).hasMessageContaining(error);
  }
}
