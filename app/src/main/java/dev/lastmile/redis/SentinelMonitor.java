package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Ticker;
import io.lettuce.core.RedisURI;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Subscribes to a Sentinel, and reports when it names another primary. There is one of these for
 * each Sentinel, because the Sentinel that leads a failover names the new primary last.
 *
 * <p>The old primary may stay up and take updates for some seconds, until a Sentinel makes it a
 * replica. These updates are lost. So the connection to it must be given up at once. While no
 * Sentinel can be reached, the error {@code READONLY} of the old primary has the same effect, but
 * later.
 *
 * @see <a
 *     href="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#pubsub-messages">Pub/Sub
 *     messages of Sentinel</a>
 */
final class SentinelMonitor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SentinelMonitor.class);
  private static final String SWITCHED = "+switch-master";

  private final RedisDialer dialer;
  private final RedisURI sentinel;
  private final Runnable onSubscribed;
  private final Consumer<InetSocketAddress> onSwitched;
  private final ReconnectingConnection<StatefulRedisPubSubConnection<String, byte[]>> connection;

  /** The causes of failures since the last subscription; each of them was logged. */
  private final Set<RedisErrorCause> failures = ConcurrentHashMap.newKeySet();

  /**
   * @param onSubscribed runs after each subscription, on a thread of the scheduler; may block
   * @param onSwitched accepts the new primary, on an event loop, and must not block
   */
  SentinelMonitor(
      RedisDialer dialer,
      RedisURI sentinel,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler,
      Runnable onSubscribed,
      Consumer<InetSocketAddress> onSwitched) {
    this.dialer = dialer;
    this.onSubscribed = onSubscribed;
    this.sentinel = sentinel;
    this.onSwitched = onSwitched;
    this.connection = new ReconnectingConnection<>(new Steps(), properties, ticker, scheduler);
  }

  /** Starts to connect; returns at once. */
  void start() {
    connection.start();
  }

  private void receive(byte[] message) {
    // Name of the primary, old address and port, new address and port.
    String[] fields = new String(message, UTF_8).split(" ", -1);
    if (fields.length == 5 && fields[0].equals(dialer.primaryName())) {
      onSwitched.accept(InetSocketAddress.createUnresolved(fields[3], Integer.parseInt(fields[4])));
    }
  }

  /** Whether there is a subscription. */
  boolean isSubscribed() {
    return connection.current() != null;
  }

  private String address() {
    return SentinelFailure.address(sentinel);
  }

  private final class Steps
      implements ReconnectingConnection.Steps<StatefulRedisPubSubConnection<String, byte[]>> {
    @Override
    public CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> dial() {
      return dialer.connectSentinel(sentinel);
    }

    @Override
    public void prepare(StatefulRedisPubSubConnection<String, byte[]> fresh) {
      fresh.addListener(
          new RedisPubSubAdapter<String, byte[]>() {
            @Override
            public void message(String channel, byte[] message) {
              receive(message);
            }
          });
      fresh.sync().subscribe(SWITCHED);
    }

    @Override
    public void connected() {
      failures.clear();
      LOG.atDebug().addKeyValue("address", address()).log("sentinel_subscribed");
      onSubscribed.run();
    }

    @Override
    public void failed(RuntimeException failure) {
      RedisErrorCause cause = RedisErrorCause.of(failure);
      if (failures.add(cause)) {
        LOG.atWarn()
            .addKeyValue("address", address())
            .addKeyValue("cause", cause.wireName())
            .addKeyValue("error", RedisErrors.root(failure))
            .log("sentinel_unreachable");
      }
    }

    @Override
    public void lost() {
      LOG.atDebug().addKeyValue("address", address()).log("sentinel_lost");
    }
  }

  @Override
  public void close() {
    connection.close();
  }
}
