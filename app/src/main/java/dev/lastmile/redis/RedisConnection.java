package dev.lastmile.redis;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Transports;
import io.netty.channel.EventLoopGroup;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The connections of this replica for commands, one to each primary. Any thread may use it. A
 * command goes to the primary that has its partition; commands of one partition are sent in the
 * order in which they were submitted. {@link PrimaryConnection} has the rules of one connection.
 *
 * <p>While the primary of a partition is away, the commands of other partitions go on.
 */
public final class RedisConnection implements AutoCloseable {
  private final ClientResources resources;
  private final EventLoopGroup loops;
  private final ReplyAwaiter awaiter;
  private final Primaries primaries;
  private final List<Connected> connectedListeners = new CopyOnWriteArrayList<>();
  private final List<Runnable> assignedListeners = new CopyOnWriteArrayList<>();
  private volatile boolean closed;

  /** A listener for connections that can be used. */
  public interface Connected {
    /**
     * A primary can be used. Runs on a virtual thread and must not block for long.
     *
     * @param partitions those of the primary
     * @param again whether the connection to it was in use before, and broke
     */
    void connected(Collection<Partition> partitions, boolean again);
  }

  public RedisConnection(
      RedisDialer dialer,
      ClientResources resources,
      RedisErrors errors,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler) {
    this.resources = resources;
    this.awaiter = new ReplyAwaiter(properties.timeout());
    this.loops = resources.eventLoopGroupProvider().allocate(Transports.eventLoopGroupClass());
    // One event loop, so that commands are sent in the order of their submission.
    PrimaryConnection.Shared shared =
        new PrimaryConnection.Shared(
            dialer, loops.next(), errors, awaiter, properties, ticker, scheduler);
    this.primaries =
        dialer.isCluster()
            ? new ClusterPrimaries(shared, this::connected, this::assigned)
            : new OnePrimary(shared, this::connected);
  }

  private void connected(Collection<Partition> partitions, boolean again) {
    connectedListeners.forEach(listener -> listener.connected(partitions, again));
  }

  private void assigned() {
    assignedListeners.forEach(Runnable::run);
  }

  /** Starts to connect; returns at once. */
  public void start() {
    primaries.start();
  }

  /** Adds a listener that runs after each (re)connection. */
  public void onConnected(Connected listener) {
    connectedListeners.add(listener);
  }

  /**
   * Adds a listener that runs after each question to the nodes of a cluster, and so whenever
   * partitions have got another primary. It must not block.
   */
  public void onAssigned(Runnable listener) {
    assignedListeners.add(listener);
  }

  /** The partitions of each primary. The only primary is {@link RedisDialer#ANY_PRIMARY}. */
  public Map<InetSocketAddress, Set<Partition>> assignment() {
    return primaries.assigned();
  }

  /** A subscription hints at other primaries. Any thread; returns at once. */
  public void doubtAssignment() {
    primaries.doubted();
  }

  /** Whether the primary of a partition can be used. */
  public boolean isConnected(Partition partition) {
    PrimaryConnection connection = primaries.of(partition);
    return connection != null && connection.isConnected();
  }

  /** Whether the primaries of all partitions can be used. */
  public boolean isConnected() {
    return Partition.ALL.stream().allMatch(this::isConnected);
  }

  /** The number of primaries whose connection is in use, or is not. */
  long primaries(boolean connected) {
    return primaries.all().stream()
        .filter(connection -> connection.isConnected() == connected)
        .count();
  }

  /** The number of partitions whose primary can be used, or cannot. */
  long partitions(boolean connected) {
    return Partition.ALL.stream().filter(partition -> isConnected(partition) == connected).count();
  }

  /** The number of Sentinels with a subscription, or without. */
  long sentinels(boolean subscribed) {
    return primaries.sentinels(subscribed);
  }

  /**
   * Runs a script and waits for its reply.
   *
   * @param keys all of one partition
   * @return elements are {@code Long}, {@code byte[]} or lists
   * @throws RedisUnavailableException if there is no connection, no reply within {@code
   *     lastmile.redis.timeout}, or an error reply
   */
  public List<Object> run(Script script, List<String> keys, ScriptArguments arguments) {
    return await(start(script, keys, arguments));
  }

  /**
   * Runs a script without waiting. Completes on the event loop, also exceptionally: callbacks must
   * not block.
   *
   * @param keys all of one partition
   * @throws RedisUnavailableException if there is no connection
   */
  public CompletionStage<List<Object>> start(
      Script script, List<String> keys, ScriptArguments arguments) {
    return primary(Partition.ofKey(keys.getFirst())).start(script, keys, arguments);
  }

  /** Runs one command of a partition and waits for its reply; errors as {@link #run}. */
  public <T> T call(
      Partition partition, Function<RedisAsyncCommands<String, byte[]>, RedisFuture<T>> command) {
    return await(startCall(partition, command));
  }

  /** Runs one command of a partition without waiting, as {@link #start}. */
  public <T> CompletionStage<T> startCall(
      Partition partition, Function<RedisAsyncCommands<String, byte[]>, RedisFuture<T>> command) {
    return primary(partition).startCall(command);
  }

  PrimaryConnection primary(Partition partition) {
    PrimaryConnection connection = primaries.of(partition);
    if (connection == null) {
      throw new RedisUnavailableException(
          RedisErrorCause.NO_PRIMARY, "no primary is known for " + partition.tag());
    }
    return connection;
  }

  /**
   * Waits for a reply; errors as {@link #run}.
   *
   * @param reply a reply, or a stage derived from replies
   */
  public <T> T await(CompletionStage<T> reply) {
    primaries.all().forEach(PrimaryConnection::flushNow);
    return awaiter.await(reply);
  }

  /** As {@link #await(CompletionStage)}, for at most this time. */
  public <T> T await(CompletionStage<T> reply, Duration atMost) {
    primaries.all().forEach(PrimaryConnection::flushNow);
    return awaiter.await(reply, atMost);
  }

  /**
   * Turns every failure of {@link #start} or {@link #startCall}, at once or later, into an
   * exceptional completion with a {@link RedisUnavailableException}.
   */
  public <T> CompletionStage<T> completing(Supplier<CompletionStage<T>> command) {
    try {
      return command
          .get()
          .exceptionallyCompose(
              failure -> CompletableFuture.failedFuture(awaiter.unavailable(failure)));
    } catch (RedisUnavailableException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Checks the epochs of a primary again, because a running Redis was emptied. Blocks; errors as
   * {@link #run}.
   */
  public void renewEpochs(Partition partition) {
    primary(partition).renewEpochs();
  }

  /** As {@link #renewEpochs}, once for all callers at the same time, and without waiting. */
  public CompletionStage<Void> startRenewal(Partition partition) {
    try {
      return primary(partition).startRenewal();
    } catch (RedisUnavailableException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** The clock of the primary of a partition. */
  PrimaryClock clock(Partition partition) {
    return primary(partition).clock();
  }

  /** Compares the clocks of all primaries. One thread at a time; blocks as a command does. */
  void compareClocks() {
    primaries.all().forEach(PrimaryConnection::compareClocks);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    primaries.close();
    var _ = resources.eventLoopGroupProvider().release(loops, 0, 2, TimeUnit.SECONDS);
  }
}
