package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultRowTest {
  private static final Measure MEASURE = new Measure("group", "title", "ms", "peer", "≤ 1.0×");

  @Test
  void medianIsTheMiddleOrBetweenTheTwoInTheMiddle() {
    assertThat(ResultRow.median(5, 1, 3)).isEqualTo(3);
    assertThat(ResultRow.median(4, 1, 3, 2)).isEqualTo(2.5);
    assertThat(ResultRow.median(new double[0])).isNaN();
  }

  @Test
  void ratioIsTheMedianOfTheRoundsRatiosAndNotThatOfTheMedians() {
    ResultRow row =
        new ResultRow(
            MEASURE, "ours", Map.of(1, 10.0, 2, 100.0, 3, 30.0), Map.of(1, 10.0, 2, 50.0, 3, 10.0));
    assertThat(row.ratio()).isEqualTo(2);
    assertThat(row.median()).isEqualTo(30);
    assertThat(row.least()).isEqualTo(10);
    assertThat(row.most()).isEqualTo(100);
  }

  @Test
  void aRoundInWhichThePeerHasNoFigureIsNotCompared() {
    ResultRow row = new ResultRow(MEASURE, "ours", Map.of(1, 10.0, 2, 100.0), Map.of(2, 50.0));
    assertThat(row.ratio()).isEqualTo(2);
    assertThat(new ResultRow(MEASURE, "ours", Map.of(1, 10.0), Map.of()).ratio()).isNaN();
  }

  @Test
  void theTableHasARatioAndAGoalForAllButThePeer() {
    BenchmarkResults results = new BenchmarkResults();
    results.add(MEASURE, "ours", 5);
    results.add(MEASURE, "peer", 10);
    results.note("Noted.");
    assertThat(results.table().lines().skip(2))
        .containsExactly(
            "| group: title | ms | ours | 5 | 5 | 5 | 0.50× | ≤ 1.0× |",
            "| group: title | ms | peer | 10 | 10 | 10 |  |  |",
            "",
            "Noted.");
  }

  @Test
  void numbersHaveThreeDigits() {
    assertThat(BenchmarkResults.number(0.1234)).isEqualTo("0.12");
    assertThat(BenchmarkResults.number(12.34)).isEqualTo("12.3");
    assertThat(BenchmarkResults.number(1234.5)).isEqualTo("1,235");
    assertThat(BenchmarkResults.number(99)).isEqualTo("99");
  }
}
