package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.RedisCommandExecutionException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The answers of a majority count, and a server that does not answer delays nothing. */
class MajorityQuestionTest {
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final Duration SHORT = Duration.ofMillis(50);

  private final CountDownLatch silence = new CountDownLatch(1);

  @AfterEach
  void stop() {
    silence.countDown();
  }

  private List<String> ask(Function<String, String> server, Duration limit, String... servers) {
    return new MajorityQuestion<>(server, (name, e) -> new IllegalStateException(name, e))
        .ask(List.of(servers), limit);
  }

  private String answer(String server) {
    return switch (server) {
      case "silent" -> {
        try {
          silence.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        yield "too late";
      }
      case "refuses" -> throw new RedisCommandExecutionException("NOAUTH Authentication required.");
      case "down" -> throw new CompletionException(new ConnectException("Connection refused"));
      default -> server;
    };
  }

  @Test
  void theAnswersOfAMajorityAreTaken_withoutTheSilentServer() {
    assertThat(ask(this::answer, LONG, "a", "silent", "b")).containsExactlyInAnyOrder("a", "b");
  }

  @Test
  void aServerThatIsDownDelaysNothing() {
    assertThat(ask(this::answer, LONG, "down", "a", "b")).containsExactlyInAnyOrder("a", "b");
  }

  @Test
  void fewerAnswersAreTaken_ifNoMajorityAnswersWithinTheLimit() {
    assertThat(ask(this::answer, SHORT, "silent", "down", "a")).containsExactly("a");
  }

  @Test
  void anAnswerOfAServerIsTheFailure_ratherThanAServerThatIsDown() {
    assertThatThrownBy(() -> ask(this::answer, LONG, "down", "refuses", "down"))
        .isInstanceOf(RedisUnavailableException.class)
        .hasRootCauseMessage("NOAUTH Authentication required.");
  }

  @Test
  void withoutAnAnswerWithinTheLimitTheQuestionFails() {
    assertThatThrownBy(() -> ask(this::answer, SHORT, "silent"))
        .isInstanceOf(RedisUnavailableException.class);
  }

  @Test
  void withoutAServerThereIsNoPrimary() {
    assertThatThrownBy(() -> ask(this::answer, LONG))
        .isInstanceOfSatisfying(
            RedisUnavailableException.class,
            e -> assertThat(RedisErrorCause.of(e)).isEqualTo(RedisErrorCause.NO_PRIMARY));
  }
}
