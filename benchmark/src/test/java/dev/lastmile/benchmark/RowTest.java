package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class RowTest {
  private static final Measure MEASURE = new Measure("group", "title", "ms", "peer", "≤ 1.0×");

  @Test
  void medianIsTheMiddleOrBetweenTheTwoInTheMiddle() {
    assertThat(Row.median(5, 1, 3)).isEqualTo(3);
    assertThat(Row.median(4, 1, 3, 2)).isEqualTo(2.5);
    assertThat(Row.median(new double[0])).isNaN();
  }

  @Test
  void ratioIsTheMedianOfTheRoundsRatiosAndNotThatOfTheMedians() {
    Row row =
        new Row(
            MEASURE, "ours", Map.of(1, 10.0, 2, 100.0, 3, 30.0), Map.of(1, 10.0, 2, 50.0, 3, 10.0));
    assertThat(row.ratio()).isEqualTo(2);
    assertThat(row.median()).isEqualTo(30);
    assertThat(row.least()).isEqualTo(10);
    assertThat(row.most()).isEqualTo(100);
  }

  @Test
  void aRoundInWhichThePeerHasNoFigureIsNotCompared() {
    Row row = new Row(MEASURE, "ours", Map.of(1, 10.0, 2, 100.0), Map.of(2, 50.0));
    assertThat(row.ratio()).isEqualTo(2);
    assertThat(new Row(MEASURE, "ours", Map.of(1, 10.0), Map.of()).ratio()).isNaN();
  }

  @Test
  void theTableHasARatioAndAGoalForAllButThePeer() {
    Report report = new Report();
    report.add(MEASURE, "ours", 5);
    report.add(MEASURE, "peer", 10);
    report.note("Noted.");
    assertThat(report.table().lines().skip(2))
        .containsExactly(
            "| group: title | ms | ours | 5 | 5 | 5 | 0.50× | ≤ 1.0× |",
            "| group: title | ms | peer | 10 | 10 | 10 |  |  |",
            "",
            "Noted.");
  }

  @Test
  void numbersHaveThreeDigits() {
    assertThat(Report.number(0.1234)).isEqualTo("0.12");
    assertThat(Report.number(12.34)).isEqualTo("12.3");
    assertThat(Report.number(1234.5)).isEqualTo("1,235");
    assertThat(Report.number(99)).isEqualTo("99");
  }
}
