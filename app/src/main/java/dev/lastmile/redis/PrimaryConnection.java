package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to one primary for commands. Any thread may use it. Commands are pipelined in the
 * order in which they were submitted. Under load, commands for which no thread waits are sent
 * together ({@link CommandBatcher}); a thread that waits causes an immediate flush.
 *
 * <p>A connection is used only after these steps on it: the server is a primary, the layout is
 * ours, every partition of the primary has an epoch, the scripts were loaded and the clocks were
 * compared.
 *
 * <p>A command that was sent and not answered when a connection broke fails with {@link
 * RedisUnavailableException}. It is never sent twice.
 */
final class PrimaryConnection implements AutoCloseable {
  /**
   * Commands without a reply, above which a further command fails at once: some seconds of the
   * highest rate that was measured.
   */
  private static final int MAX_IN_FLIGHT = 65_536;

  private static final int FAILURES_UNTIL_DROP = 2;

  private static final Logger LOG = LoggerFactory.getLogger(PrimaryConnection.class);

  /** What all connections of a replica share. */
  record Shared(
      RedisDialer dialer,
      EventExecutor loop,
      RedisErrors errors,
      ReplyAwaiter awaiter,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler) {}

  /** Address and partitions of the primary; the methods return at once, except {@link #dial}. */
  interface Owner {
    /** Starts to connect. May block for the time of one attempt. */
    CompletionStage<StatefulRedisConnection<String, byte[]>> dial();

    /** The address, for logs. */
    String address();

    /** The partitions that the primary has. */
    Collection<Partition> partitions();

    /**
     * The connection is in use.
     *
     * @param again whether an earlier one was in use and broke
     * @return false if it leads to a server that was replaced meanwhile
     */
    boolean connected(boolean again);

    /** The connection broke, or a reply hints at another primary. */
    void doubted();
  }

  private final Shared shared;
  private final Owner owner;
  private final PrimaryClock clock;
  private final ReconnectingConnection<StatefulRedisConnection<String, byte[]>> connection;
  private final boolean batching;
  private final CommandBatcher batcher;
  private final EpochRenewal renewal = new EpochRenewal(this);

  /** Commands that were submitted and have no reply yet. */
  private final AtomicInteger inFlight = new AtomicInteger();

  private volatile boolean everConnected;

  /** Clock comparisons without a reply; used by one thread at a time. */
  private int silent;

  PrimaryConnection(Shared shared, Owner owner) {
    this.shared = shared;
    this.owner = owner;
    this.clock = new PrimaryClock(shared.ticker());
    Duration gather = shared.properties().gather();
    this.batching = !gather.isZero();
    this.batcher =
        new CommandBatcher(
            shared.loop(),
            task -> {
              var _ = shared.loop().schedule(task, gather.toNanos(), TimeUnit.NANOSECONDS);
            },
            this::flush);
    this.connection =
        new ReconnectingConnection<>(
            new Steps(), shared.properties(), shared.ticker(), shared.scheduler());
  }

  /** Starts to connect; returns at once. */
  void start() {
    connection.start();
  }

  boolean isConnected() {
    return connection.current() != null;
  }

  Collection<Partition> partitions() {
    return owner.partitions();
  }

  /** Whether other primaries may have the keys that are stored once. */
  boolean isOfCluster() {
    return shared.dialer().isCluster();
  }

  PrimaryClock clock() {
    return clock;
  }

  private void flush() {
    StatefulRedisConnection<String, byte[]> current = connection.current();
    if (current != null) {
      current.flushCommands();
    }
  }

  /** Runs a script without waiting, as {@link RedisConnection#start}. */
  CompletionStage<List<Object>> start(Script script, List<String> keys, ScriptArguments arguments) {
    String[] k = Keys.declared(keys);
    byte[][] a = arguments.toArray();
    RedisAsyncCommands<String, byte[]> commands = current().async();
    CompletionStage<List<Object>> reply =
        send(() -> commands.evalsha(script.sha1(), ScriptOutputType.MULTI, k, a));
    return reply.exceptionallyCompose(failure ->
        failure instanceof RedisNoScriptException
            ? send(
                () -> commands.eval(script.source().getBytes(UTF_8), ScriptOutputType.MULTI, k, a))
            : CompletableFuture.failedFuture(failure));
  }

  /** Runs one command without waiting, as {@link RedisConnection#startCall}. */
  <T> CompletionStage<T> startCall(
      Function<RedisAsyncCommands<String, byte[]>, RedisFuture<T>> command) {
    RedisAsyncCommands<String, byte[]> commands = current().async();
    return send(() -> command.apply(commands));
  }

  /** Throws at once if too many commands are in flight, or if Lettuce has closed the connection. */
  private <T> RedisFuture<T> send(Supplier<RedisFuture<T>> command) {
    if (inFlight.incrementAndGet() > MAX_IN_FLIGHT) {
      inFlight.decrementAndGet();
      RedisUnavailableException refusal =
          new RedisUnavailableException(
              RedisErrorCause.OVERLOADED, "too many Redis commands in flight");
      shared.errors().reportReply(refusal);
      throw refusal;
    }
    RedisFuture<T> sent;
    try {
      sent = command.get();
    } catch (RedisException e) {
      inFlight.decrementAndGet();
      throw new RedisUnavailableException("the Redis connection is closed", e);
    }
    var _ =
        sent.whenComplete((_, failure) -> {
          inFlight.decrementAndGet();
          if (failure != null) {
            failed(failure);
          }
        });
    submitted();
    return sent;
  }

  /** Runs on the event loop, once for each command that failed. */
  private void failed(Throwable failure) {
    RedisErrorCause cause = shared.errors().reportReply(failure);
    if (cause != null && cause.endsConnection()) {
      drop(cause.wireName());
    }
    if (cause != null && cause.doubtsPrimary()) {
      owner.doubted();
    }
  }

  /** Requests a flush of commands that were submitted. */
  private void submitted() {
    ifBatching(batcher::request);
  }

  /** Flushes at once, because a thread waits for a reply. */
  void flushNow() {
    ifBatching(batcher::flushNow);
  }

  private void ifBatching(Runnable step) {
    try {
      if (batching) {
        step.run();
      }
    } catch (RejectedExecutionException _) {
      // The event loop has ended with the application, and every command has failed.
    }
  }

  private StatefulRedisConnection<String, byte[]> current() {
    StatefulRedisConnection<String, byte[]> current = connection.current();
    if (current == null) {
      throw new RedisUnavailableException(
          RedisErrorCause.DISCONNECTED, owner.address() + " is not connected");
    }
    return current;
  }

  /** Waits for a reply on this connection. */
  <T> T await(CompletionStage<T> reply) {
    flushNow();
    return shared.awaiter().await(reply);
  }

  /**
   * Checks the epochs again on the current connection, because a running Redis was emptied. Blocks;
   * errors as {@link RedisConnection#run}.
   */
  void renewEpochs() {
    try {
      Epochs.check(current().async(), this::submitted, this);
    } catch (RedisUnavailableException e) {
      failed(e);
      throw e;
    } catch (RedisException e) {
      failed(e);
      throw new RedisUnavailableException("the epochs cannot be checked", e);
    }
  }

  /** As {@link #renewEpochs}, once for all callers at the same time, and without waiting. */
  CompletionStage<Void> startRenewal() {
    return renewal.renew();
  }

  /**
   * Compares the clocks. One thread at a time; blocks for at most the timeout of Redis. A half-open
   * connection would otherwise stay until the kernel detects it.
   */
  void compareClocks() {
    if (!isConnected()) {
      return;
    }
    try {
      clock.measure(() -> await(startCall(RedisAsyncCommands::time)));
      silent = 0;
    } catch (RedisUnavailableException e) {
      silent++;
      LOG.atDebug().addKeyValue("failures", silent).log("clock_comparison_failed");
      if (silent >= FAILURES_UNTIL_DROP) {
        silent = 0;
        drop("no reply to " + FAILURES_UNTIL_DROP + " clock comparisons");
      }
    }
  }

  /** Closes a connection without replies and starts to connect again. Any thread. */
  void drop(String reason) {
    if (connection.drop()) {
      LOG.atWarn()
          .addKeyValue("reason", reason)
          .addKeyValue("primary", owner.address())
          .log("redis_connection_dropped");
    }
  }

  private final class Steps
      implements ReconnectingConnection.Steps<StatefulRedisConnection<String, byte[]>> {
    @Override
    public CompletionStage<StatefulRedisConnection<String, byte[]>> dial() {
      return owner.dial();
    }

    @Override
    public void prepare(StatefulRedisConnection<String, byte[]> fresh) {
      RedisAsyncCommands<String, byte[]> commands = fresh.async();
      Epochs.check(commands, () -> {}, PrimaryConnection.this);
      List<RedisFuture<String>> loads = new ArrayList<>();
      for (Script script : Script.values()) {
        loads.add(commands.scriptLoad(script.source().getBytes(UTF_8)));
      }
      loads.forEach(PrimaryConnection.this::await);
      clock.begin(() -> await(commands.time()));
      // From now on the batcher decides when to flush.
      fresh.setAutoFlushCommands(!batching);
    }

    @Override
    public void connected() {
      LOG.atInfo()
          .addKeyValue("first", !everConnected)
          .addKeyValue("address", shared.dialer().address())
          .addKeyValue("primary", owner.address())
          .log("redis_connected");
      boolean again = everConnected;
      everConnected = true;
      if (!owner.connected(again)) {
        drop("it leads to a server that was replaced");
      }
    }

    @Override
    public void failed(RuntimeException failure) {
      shared.errors().reportConnect(failure);
      owner.doubted();
    }

    @Override
    public void lost() {
      shared.errors().disconnected();
      LOG.atWarn().addKeyValue("address", owner.address()).log("redis_unreachable");
      owner.doubted();
    }
  }

  /** Closes the connection and opens no other one; returns at once. */
  void retire() {
    flush();
    connection.retire();
  }

  @Override
  public void close() {
    flush();
    connection.close();
  }
}
