package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Ticker;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Transports;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection of this replica for commands. Any thread may use it. Commands are pipelined in the
 * order in which they were submitted. Under load, commands for which no thread waits are sent
 * together ({@link CommandBatcher}); a thread that waits causes an immediate flush.
 *
 * <p>A connection is used only after these steps on it: the server is a primary, every partition
 * has an epoch, the scripts were loaded and the clocks were compared.
 *
 * <p>A command that was sent and not answered when a connection broke fails with {@link
 * RedisUnavailableException}. It is never sent twice.
 */
public final class RedisConnection implements AutoCloseable {
  /**
   * Commands without a reply, above which a further command fails at once: some seconds of the
   * highest rate that was measured.
   */
  private static final int MAX_IN_FLIGHT = 65_536;

  private static final Logger LOG = LoggerFactory.getLogger(RedisConnection.class);

  private final RedisDialer dialer;
  private final ClientResources resources;
  private final RedisErrors errors;
  private final ReplyAwaiter awaiter;
  private final ReconnectingConnection<StatefulRedisConnection<String, byte[]>> connection;
  private final PrimaryWatch primary;
  private final boolean batching;
  private final EventLoopGroup loops;
  private final CommandBatcher batcher;
  private final List<Consumer<RedisAsyncCommands<String, byte[]>>> preparations =
      new CopyOnWriteArrayList<>();
  private final List<Runnable> connectedListeners = new CopyOnWriteArrayList<>();

  /** Commands that were submitted and have no reply yet. */
  private final AtomicInteger inFlight = new AtomicInteger();

  private final EpochRenewal renewal = new EpochRenewal(this);
  private volatile boolean closed;
  private volatile boolean everConnected;

  public RedisConnection(
      RedisDialer dialer,
      ClientResources resources,
      RedisErrors errors,
      RedisProperties properties,
      Ticker ticker,
      ScheduledExecutorService scheduler) {
    this.dialer = dialer;
    this.resources = resources;
    this.errors = errors;
    this.awaiter = new ReplyAwaiter(properties.timeout());
    this.batching = !properties.gather().isZero();
    this.loops = resources.eventLoopGroupProvider().allocate(Transports.eventLoopGroupClass());
    this.batcher = batcher(properties.gather());
    this.connection = new ReconnectingConnection<>(new Steps(), properties, ticker, scheduler);
    this.primary = new PrimaryWatch(dialer, properties, ticker, scheduler, this::leaveOldPrimary);
  }

  /** Flushes on one event loop, so that commands are sent in the order of their submission. */
  private CommandBatcher batcher(Duration interval) {
    EventExecutor loop = loops.next();
    return new CommandBatcher(
        loop,
        task -> {
          var _ = loop.schedule(task, interval.toNanos(), TimeUnit.NANOSECONDS);
        },
        this::flush);
  }

  private void flush() {
    StatefulRedisConnection<String, byte[]> current = connection.current();
    if (current != null) {
      current.flushCommands();
    }
  }

  private void leaveOldPrimary() {
    drop("the Sentinels name another primary");
  }

  /** Starts to connect; returns at once. */
  public void start() {
    connection.start();
    primary.start();
  }

  /**
   * Adds a listener that runs after each (re)connection, on a thread of the scheduler. It must not
   * block for long.
   */
  public void onConnected(Runnable listener) {
    connectedListeners.add(listener);
  }

  /**
   * Adds a preparation that runs on each new connection before other commands do. It throws if the
   * connection cannot be used.
   */
  void beforeConnected(Consumer<RedisAsyncCommands<String, byte[]>> preparation) {
    preparations.add(preparation);
  }

  public boolean isConnected() {
    return connection.current() != null;
  }

  /** The number of Sentinels with a subscription, or without. */
  long sentinels(boolean subscribed) {
    return primary.sentinels(subscribed);
  }

  /**
   * Runs a script and waits for its reply.
   *
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
   * @throws RedisUnavailableException if there is no connection
   */
  public CompletionStage<List<Object>> start(
      Script script, List<String> keys, ScriptArguments arguments) {
    String[] k = keys.toArray(String[]::new);
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

  /** Runs one command and waits for its reply; errors as {@link #run}. */
  public <T> T call(Function<RedisAsyncCommands<String, byte[]>, RedisFuture<T>> command) {
    return await(startCall(command));
  }

  /** Runs one command without waiting, as {@link #start}. */
  public <T> CompletionStage<T> startCall(
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
      errors.reportReply(refusal);
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
    RedisErrorCause cause = errors.reportReply(failure);
    if (cause != null && cause.endsConnection()) {
      drop(cause.wireName());
    }
  }

  /** Requests a flush of commands that were submitted. */
  private void submitted() {
    ifBatching(batcher::request);
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
      throw new RedisUnavailableException(RedisErrorCause.DISCONNECTED, "Redis is not connected");
    }
    return current;
  }

  /**
   * Waits for a reply; errors as {@link #run}.
   *
   * @param reply a reply on this connection, or a stage derived from replies
   */
  public <T> T await(CompletionStage<T> reply) {
    ifBatching(batcher::flushNow);
    return awaiter.await(reply);
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
   * Checks the epochs again on the current connection, because a running Redis was emptied. Blocks;
   * errors as {@link #run}.
   */
  public void renewEpochs() {
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
  public CompletionStage<Void> startRenewal() {
    return renewal.renew();
  }

  /** Closes a connection without replies and starts to connect again. Any thread. */
  void drop(String reason) {
    if (connection.drop()) {
      LOG.atWarn().addKeyValue("reason", reason).log("redis_connection_dropped");
    }
  }

  private final class Steps
      implements ReconnectingConnection.Steps<StatefulRedisConnection<String, byte[]>> {
    @Override
    public CompletionStage<StatefulRedisConnection<String, byte[]>> dial() {
      return dialer.connect(primary.find());
    }

    @Override
    public void prepare(StatefulRedisConnection<String, byte[]> fresh) {
      RedisAsyncCommands<String, byte[]> commands = fresh.async();
      Epochs.check(commands, () -> {}, RedisConnection.this);
      List<RedisFuture<String>> loads = new ArrayList<>();
      for (Script script : Script.values()) {
        loads.add(commands.scriptLoad(script.source().getBytes(UTF_8)));
      }
      loads.forEach(RedisConnection.this::await);
      preparations.forEach(preparation -> preparation.accept(commands));
      // From now on the batcher decides when to flush.
      fresh.setAutoFlushCommands(!batching);
    }

    @Override
    public void connected() {
      LOG.atInfo()
          .addKeyValue("first", !everConnected)
          .addKeyValue("address", dialer.address())
          .addKeyValue("primary", primary.address())
          .log("redis_connected");
      everConnected = true;
      if (primary.isReplaced()) {
        // The report arrived before this connection was in use, so it could not close it.
        leaveOldPrimary();
        return;
      }
      connectedListeners.forEach(Runnable::run);
    }

    @Override
    public void failed(RuntimeException failure) {
      errors.reportConnect(failure);
    }

    @Override
    public void lost() {
      errors.disconnected();
      LOG.atWarn().addKeyValue("address", dialer.address()).log("redis_unreachable");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    flush();
    primary.close();
    connection.close();
    var _ = resources.eventLoopGroupProvider().release(loops, 0, 2, TimeUnit.SECONDS);
  }
}
