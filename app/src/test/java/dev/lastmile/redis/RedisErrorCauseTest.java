package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every failure has the cause that an operator has to know. {@code RedisErrorsIT} meets them. */
class RedisErrorCauseTest {
  @ParameterizedTest
  @CsvSource({
    "READONLY, READONLY You can't write against a read only replica. script: 5a1f",
    "MASTERDOWN, MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "LOADING, LOADING Redis is loading the dataset in memory",
    "OOM, OOM command not allowed when used memory > 'maxmemory'. script: 5a1f",
    "MISCONF, MISCONF Redis is configured to save RDB snapshots",
    "NOREPLICAS, NOREPLICAS Not enough good replicas to write.",
    "BUSY, BUSY Redis is busy running a script.",
    "NOAUTH, NOAUTH HELLO must be called with the client already authenticated",
    "WRONGPASS, WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM, NOPERM User app has no permissions to run the 'publish' command",
    "NOPERM, ERR The user executing the script can't run this command or subcommand script: 5a1f",
    "MAXCLIENTS, ERR max number of clients reached",
    "ERROR_REPLY, ERR unknown command 'SPUBLISH'",
    "ERROR_REPLY, ''"
  })
  void anErrorReplyIsToldByItsFirstWord(RedisErrorCause cause, String reply) {
    Throwable failure = new RedisCommandExecutionException(reply);
    assertThat(RedisErrorCause.of(failure)).isEqualTo(cause);
    assertThat(RedisErrorCause.of(new CompletionException(failure))).isEqualTo(cause);
    assertThat(RedisErrorCause.of(new RedisUnavailableException("Redis failed", failure)))
        .isEqualTo(cause);
  }

  @Test
  void theInnermostCauseCounts() {
    assertThat(cause(new UnknownHostException("redis"))).isEqualTo(RedisErrorCause.UNKNOWN_HOST);
    assertThat(cause(new SSLHandshakeException("unknown CA"))).isEqualTo(RedisErrorCause.TLS);
    assertThat(cause(new ConnectException("Connection refused: /127.0.0.1:1")))
        .isEqualTo(RedisErrorCause.REFUSED);
    assertThat(cause(new ConnectException("Network is unreachable")))
        .isEqualTo(RedisErrorCause.UNREACHABLE);
    assertThat(cause(new TimeoutException())).isEqualTo(RedisErrorCause.TIMEOUT);
    for (String message :
        List.of(
            "Connection closed",
            "Connection disconnected",
            "Currently not connected. Commands are rejected.")) {
      assertThat(RedisErrorCause.of(new RedisException(message)))
          .isEqualTo(RedisErrorCause.DISCONNECTED);
    }
    assertThat(cause(new IOException("Connection reset by peer")))
        .isEqualTo(RedisErrorCause.DISCONNECTED);
    assertThat(cause(new CancellationException())).isEqualTo(RedisErrorCause.DISCONNECTED);
    assertThat(RedisErrorCause.of(new IllegalStateException("?"))).isEqualTo(RedisErrorCause.OTHER);
  }

  private static RedisErrorCause cause(Exception innermost) {
    return RedisErrorCause.of(
        new RedisUnavailableException(
            "not connected",
            new ExecutionException(new RedisConnectionException("Unable to connect", innermost))));
  }

  @Test
  void onlyWhatTheServerWillNotChangeEndsAConnection() {
    assertThat(RedisErrorCause.values())
        .filteredOn(RedisErrorCause::endsConnection)
        .containsExactly(
            RedisErrorCause.READONLY, RedisErrorCause.MASTERDOWN, RedisErrorCause.NOAUTH);
  }
}
