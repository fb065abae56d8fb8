package dev.lastmile.redis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Asks the Sentinels for the primary. During a failover some of them name the old primary. So the
 * newest configuration of a {@linkplain MajorityQuestion majority} counts.
 *
 * @see <a href="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/">Sentinel:
 *     configuration epochs</a>
 */
final class PrimaryLookup {
  private final RedisClient client;
  private final String name;
  private final List<RedisURI> sentinels;
  private final MajorityQuestion<RedisURI, Answer> question =
      new MajorityQuestion<>(this::ask, SentinelFailure::new);

  /** An answer, and the epoch of the configuration that it is from. */
  private record Answer(InetSocketAddress primary, long epoch) {}

  PrimaryLookup(RedisClient client, String name, List<RedisURI> sentinels) {
    this.client = client;
    this.name = name;
    this.sentinels = sentinels;
  }

  /**
   * The address of the primary, not resolved. Blocks for at most the limit.
   *
   * @throws RedisUnavailableException if no Sentinel names a primary within the limit
   */
  InetSocketAddress find(Duration limit) {
    List<Answer> answers = question.ask(sentinels, limit);
    return Collections.max(answers, Comparator.comparingLong(Answer::epoch)).primary();
  }

  private Answer ask(RedisURI sentinel) {
    try (StatefulRedisSentinelConnection<String, String> connection =
        client.connectSentinel(StringCodec.UTF8, sentinel)) {
      RedisSentinelCommands<String, String> commands = connection.sync();
      // Throws if the name is not known, for which the next command has only a text.
      address(commands);
      // The epoch first: so the address of an old configuration never has the epoch of a new one.
      String epoch = commands.master(name).getOrDefault("config-epoch", "0");
      return new Answer(address(commands), Long.parseLong(epoch));
    }
  }

  private InetSocketAddress address(RedisSentinelCommands<String, String> commands) {
    if (commands.getMasterAddrByName(name) instanceof InetSocketAddress address) {
      return address;
    }
    throw new RedisUnavailableException(
        RedisErrorCause.NO_PRIMARY, "the Sentinel knows no primary " + name);
  }
}
