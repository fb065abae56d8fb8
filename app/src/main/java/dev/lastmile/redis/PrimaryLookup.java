package dev.lastmile.redis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Asks the Sentinels for the primary. During a failover some of them name the old primary. So all
 * are asked at the same time, each on a virtual thread. Of the answers of a majority, the newest
 * configuration counts; if fewer answer, that of those. A Sentinel that is down, or whose name
 * cannot be resolved, delays nothing while a majority answers.
 *
 * @see <a href="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/">Sentinel:
 *     configuration epochs</a>
 */
final class PrimaryLookup {
  private final RedisClient client;
  private final String name;
  private final List<RedisURI> sentinels;

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
    BlockingQueue<CompletableFuture<Answer>> ended = new LinkedBlockingQueue<>();
    for (RedisURI sentinel : sentinels) {
      CompletableFuture<Answer> answer =
          CompletableFuture.supplyAsync(() -> ask(sentinel), Thread::startVirtualThread)
              .orTimeout(limit.toNanos(), TimeUnit.NANOSECONDS)
              .exceptionallyCompose(failure ->
                  CompletableFuture.failedFuture(new SentinelFailure(sentinel, failure)));
      var _ = answer.whenComplete((_, _) -> ended.add(answer));
    }
    int answers = 0;
    Answer newest = null;
    RedisUnavailableException failure = null;
    for (int i = 0; i < sentinels.size() && answers <= sentinels.size() / 2; i++) {
      try {
        Answer answer = take(ended).join();
        answers++;
        newest = newest == null || answer.epoch() > newest.epoch() ? answer : newest;
      } catch (CompletionException e) {
        failure = clearer(failure, new RedisUnavailableException("no primary is known", e));
      }
    }
    if (newest != null) {
      return newest.primary();
    }
    throw failure != null
        ? failure
        : new RedisUnavailableException(RedisErrorCause.NO_PRIMARY, "there are no Sentinels");
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

  /** What a Sentinel answers says more than that another one is down. */
  private static RedisUnavailableException clearer(
      @Nullable RedisUnavailableException before, RedisUnavailableException next) {
    return before == null || RedisErrorCause.of(next).isAnswer() ? next : before;
  }

  private static CompletableFuture<Answer> take(BlockingQueue<CompletableFuture<Answer>> ended) {
    try {
      return ended.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisUnavailableException("interrupted", e);
    }
  }
}
