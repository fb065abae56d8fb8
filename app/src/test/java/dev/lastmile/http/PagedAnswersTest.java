package dev.lastmile.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.lastmile.http.PagedAnswers.PagedAnswer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PagedAnswersTest {
  private static final int PER_CLIENT = 200_000;
  private static final int PER_ADDRESS = 300_000;
  private static final int ALL = 600_000;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final PagedAnswers answers =
      new PagedAnswers(
          new HttpProperties(
              65_536, 65_536, ALL, PER_CLIENT, PER_ADDRESS, TIMEOUT, TIMEOUT, TIMEOUT),
          new RejectionMetrics(meters),
          meters);

  private double held() {
    return meters.get("lastmile.http.answers").gauge().value();
  }

  private double rejected(String reason) {
    return meters.get("lastmile.http.requests.rejected").tag("reason", reason).counter().count();
  }

  private void isRejected(String client, String address, long bytes, String setting) {
    double before = held();
    assertThatExceptionOfType(RequestProblem.class)
        .isThrownBy(() -> answers.begin(client, address, bytes))
        .satisfies(problem ->
            assertThat(problem.getBody().getProperties())
                .containsEntry("field", "lastmile.http." + setting));
    assertThat(held()).as("nothing is held by a rejected answer").isEqualTo(before);
  }

  @Test
  void eachClientItsAddressAndAllTogetherHaveALimit() {
    List<PagedAnswer> open = new ArrayList<>();
    open.add(answers.begin("a", "first", 150_000));
    isRejected("a", "first", 100_000, "max-answers-per-client");
    open.add(answers.begin("b", "first", 150_000));
    isRejected("c", "first", 100_000, "max-answers-per-address");
    open.add(answers.begin("c", "second", 200_000));
    isRejected("d", "third", 150_000, "max-answers");
    assertThat(rejected("client_answer_memory")).isEqualTo(2);
    assertThat(rejected("answer_memory")).isEqualTo(1);
    open.forEach(PagedAnswer::close);
    assertThat(held()).isZero();
    answers.begin("d", "third", 150_000).close();
  }

  @Test
  void theFirstAnswerIsServedWhateverItNeeds() {
    PagedAnswer first = answers.begin("a", "first", 2 * ALL);
    isRejected("b", "second", 1, "max-answers");
    first.close();
    answers.begin("b", "second", 1).close();
  }

  @Test
  void anAnswerKeepsWhatItReservedUntilItsLastPage() {
    PagedAnswer answer = answers.begin("a", "first", 100_000);
    answer.holds(1_000, false);
    assertThat(held()).isEqualTo(100_000);
    answer.holds(150_000, false);
    assertThat(held()).isEqualTo(150_000);
    answer.holds(1_000, true);
    assertThat(held()).isEqualTo(1_000);
  }

  @Test
  void aPageThatIsLargerThanExpectedIsRejectedAboveALimit() {
    PagedAnswer other = answers.begin("a", "first", 100_000);
    PagedAnswer answer = answers.begin("a", "first", 100_000);
    assertThatExceptionOfType(RequestProblem.class).isThrownBy(() -> answer.holds(150_000, true));
    answer.close();
    assertThat(held()).isEqualTo(100_000);
    other.holds(PER_CLIENT + 50_000, true);
    assertThat(held()).as("the only answer gets what it needs").isEqualTo(PER_CLIENT + 50_000);
  }

  @Test
  void memoryIsScarceOnlyIfSeveralClientsHoldIt() {
    PagedAnswer first = answers.begin("a", "first", ALL);
    assertThat(answers.isScarce()).isFalse();
    first.holds(ALL - 100_000, true);
    assertThat(answers.isScarce()).isFalse();
    PagedAnswer second = answers.begin("b", "second", 50_000);
    assertThat(answers.isScarce()).isTrue();
    first.close();
    assertThat(answers.isScarce()).isFalse();
    second.close();
  }
}
