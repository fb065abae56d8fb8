package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogLimitTest {
  private final LogLimit limit = new LogLimit();
  private final LoggerContext context = new LoggerContext();

  @BeforeEach
  void configure() {
    limit.setBurst(3);
    limit.setInterval("10s");
  }

  private LoggingEvent event(Level level, String message, long second) {
    LoggingEvent event =
        new LoggingEvent("", context.getLogger("dev.lastmile.X"), level, message, null, null);
    event.setTimeStamp(1_000_000 + second * 1_000);
    return event;
  }

  private boolean passes(LoggingEvent event) {
    return limit.decide(event) == FilterReply.NEUTRAL;
  }

  @Test
  void theSameEventPassesSoOftenInAnInterval_andTheNextOneSaysHowManyDidNot() {
    for (int i = 0; i < 10; i++) {
      assertThat(passes(event(Level.WARN, "redis_error_reply", i / 2))).isEqualTo(i < 3);
    }
    assertThat(limit.suppressed()).isEqualTo(7);
    LoggingEvent next = event(Level.WARN, "redis_error_reply", 10);
    assertThat(passes(next)).isTrue();
    assertThat(next.getKeyValuePairs().toString()).contains("suppressed=\"7\"");
    LoggingEvent after = event(Level.WARN, "redis_error_reply", 11);
    assertThat(passes(after)).isTrue();
    assertThat(after.getKeyValuePairs()).isNullOrEmpty();
  }

  @Test
  void otherEventsAreCountedApart() {
    for (String message :
        List.of("redis_unreachable", "redis_connected", "replica_lost", "epoch_renewed")) {
      assertThat(passes(event(Level.INFO, message, 0))).isTrue();
    }
  }

  @Test
  void whatSomebodyHasAskedForIsNotLimited() {
    for (int i = 0; i < 100; i++) {
      assertThat(passes(event(Level.DEBUG, "hop", 0))).isTrue();
    }
    assertThat(limit.suppressed()).isZero();
  }
}
