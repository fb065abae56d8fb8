package dev.lastmile.redis;

import dev.lastmile.updates.Partition;
import io.lettuce.core.api.StatefulRedisConnection;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * The only primary, which has all partitions: the server of a configured address, or the one that
 * the Sentinels name. If they name another one, the connection is opened anew.
 */
final class OnePrimary implements Primaries, PrimaryConnection.Owner {
  private final PrimaryConnection.Shared shared;
  private final RedisConnection.Connected onConnected;
  private final PrimaryConnection connection;
  private final PrimaryWatch watch;

  /**
   * @param onConnected runs on a virtual thread
   */
  OnePrimary(PrimaryConnection.Shared shared, RedisConnection.Connected onConnected) {
    this.shared = shared;
    this.onConnected = onConnected;
    this.connection = new PrimaryConnection(shared, this);
    this.watch =
        new PrimaryWatch(
            shared.dialer(),
            shared.properties(),
            shared.ticker(),
            shared.scheduler(),
            () -> connection.drop("the Sentinels name another primary"));
  }

  @Override
  public void start() {
    connection.start();
    watch.start();
  }

  @Override
  public PrimaryConnection of(Partition partition) {
    return connection;
  }

  @Override
  public Collection<PrimaryConnection> all() {
    return List.of(connection);
  }

  /** The only primary has no address of its own: each attempt to connect finds it anew. */
  @Override
  public Map<InetSocketAddress, Set<Partition>> assigned() {
    return Map.of(RedisDialer.ANY_PRIMARY, Set.copyOf(Partition.ALL));
  }

  @Override
  public long sentinels(boolean subscribed) {
    return watch.sentinels(subscribed);
  }

  @Override
  public CompletionStage<StatefulRedisConnection<String, byte[]>> dial() {
    return shared.dialer().connect(watch.find());
  }

  @Override
  public String address() {
    return watch.address();
  }

  @Override
  public Collection<Partition> partitions() {
    return Partition.ALL;
  }

  @Override
  public boolean connected(boolean again) {
    if (watch.isReplaced()) {
      // The report arrived before this connection was in use, so it could not close it.
      return false;
    }
    onConnected.connected(Partition.ALL, again);
    return true;
  }

  @Override
  public void doubted() {
    // The next attempt to connect asks the Sentinels.
  }

  @Override
  public void close() {
    watch.close();
    connection.close();
  }
}
