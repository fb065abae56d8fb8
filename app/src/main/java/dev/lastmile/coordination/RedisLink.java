package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one connection for commands. Any thread may use it; commands are pipelined, in the order in
 * which they were given. Those for which no thread waits leave together ({@link FlushPace}); who
 * waits lets all leave at once.
 *
 * <p>A connection is handed out only after it has proved itself: on that very connection the
 * process behind Redis was identified, every partition's epoch was checked against it, the scripts
 * were loaded and the clocks compared. So no script of ours ever runs on a Redis whose epoch
 * belongs to another process. A command that was on its way when a connection broke fails with
 * {@link RedisAwayException}; it is never sent twice.
 */
final class RedisLink implements AutoCloseable {
  static final RedisCodec<String, byte[]> CODEC =
      RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE);

  /** More fail at once. Some seconds' worth at the highest rate seen. */
  private static final int MOST_UNDER_WAY = 65_536;

  private static final Logger LOG = LoggerFactory.getLogger(RedisLink.class);

  private final RedisClient client;
  private final RedisURI uri;
  private final Answers answers;
  private final Duration dialTimeout;
  private final Redial redial;
  private final boolean gathers;
  private final EventLoopGroup loops;
  private final FlushPace pace;
  private final List<Consumer<RedisAsyncCommands<String, byte[]>>> preparations =
      new CopyOnWriteArrayList<>();
  private final List<Runnable> upListeners = new CopyOnWriteArrayList<>();

  /** Written by the dialling thread and by the close listener of that same connection. */
  private final AtomicReference<@Nullable StatefulRedisConnection<String, byte[]>> connection =
      new AtomicReference<>();

  /** Given and not answered. */
  private final AtomicInteger underWay = new AtomicInteger();

  private volatile boolean closed;
  private volatile boolean everUp;

  RedisLink(RedisClient client, RedisProperties properties, LongSupplier nanos) {
    this.client = client;
    this.uri = properties.uri();
    this.answers = new Answers(properties.timeout());
    this.dialTimeout = properties.dialTimeout();
    this.gathers = !properties.gather().isZero();
    this.loops =
        client.getResources().eventLoopGroupProvider().allocate(Transports.eventLoopGroupClass());
    this.pace = pace(properties.gather());
    this.redial = new Redial("redis-link", properties.redialInterval(), nanos, this::connect);
  }

  /** Flushes on one event loop, so that commands leave in the order in which they were given. */
  private FlushPace pace(Duration gather) {
    EventExecutor loop = loops.next();
    return new FlushPace(
        loop,
        task -> {
          var _ = loop.schedule(task, gather.toNanos(), TimeUnit.NANOSECONDS);
        },
        this::flush);
  }

  private void flush() {
    StatefulRedisConnection<String, byte[]> current = connection.get();
    if (current != null) {
      current.flushCommands();
    }
  }

  /** Starts to dial; returns at once. */
  void start() {
    redial.start();
  }

  /** Runs after each (re)connection, on the dialling thread; must not block for long. */
  void onUp(Runnable listener) {
    upListeners.add(listener);
  }

  /** Runs on each new connection before anybody may use it; throws if it is of no use. */
  void beforeUp(Consumer<RedisAsyncCommands<String, byte[]>> preparation) {
    preparations.add(preparation);
  }

  boolean isUp() {
    return connection.get() != null;
  }

  /**
   * Runs a script and waits for its answer.
   *
   * @return elements are {@code Long}, {@code byte[]} or lists
   * @throws RedisAwayException if there is no connection, or no answer within the time-out
   */
  List<Object> run(Script script, List<String> keys, List<byte[]> arguments) {
    return await(start(script, keys, arguments));
  }

  /**
   * Sends a script without waiting. Completes on the event loop, also exceptionally: do not block
   * there.
   *
   * @throws RedisAwayException if there is no connection
   */
  CompletionStage<List<Object>> start(Script script, List<String> keys, List<byte[]> arguments) {
    String[] k = keys.toArray(String[]::new);
    byte[][] a = arguments.toArray(byte[][]::new);
    RedisAsyncCommands<String, byte[]> commands = current().async();
    CompletionStage<List<Object>> answer =
        send(() -> commands.evalsha(script.sha1(), ScriptOutputType.MULTI, k, a));
    return answer.exceptionallyCompose(failure ->
        failure instanceof RedisNoScriptException
            ? send(
                () -> commands.eval(script.source().getBytes(UTF_8), ScriptOutputType.MULTI, k, a))
            : CompletableFuture.failedFuture(failure));
  }

  /** Runs one plain command and waits for its answer; errors as {@link #run}. */
  <T> T call(Function<RedisAsyncCommands<String, byte[]>, RedisFuture<T>> command) {
    return await(startCall(command));
  }

  /** Sends one plain command without waiting, as {@link #start}. */
  <T> CompletionStage<T> startCall(
      Function<RedisAsyncCommands<String, byte[]>, RedisFuture<T>> command) {
    RedisAsyncCommands<String, byte[]> commands = current().async();
    return send(() -> command.apply(commands));
  }

  /** Throws at once when too many are under way; Lettuce does when the connection was closed. */
  private <T> RedisFuture<T> send(Supplier<RedisFuture<T>> command) {
    if (underWay.incrementAndGet() > MOST_UNDER_WAY) {
      underWay.decrementAndGet();
      throw new RedisAwayException("Redis takes no more commands");
    }
    RedisFuture<T> sent;
    try {
      sent = command.get();
    } catch (RedisException e) {
      underWay.decrementAndGet();
      throw new RedisAwayException("Redis takes no more commands", e);
    }
    var _ = sent.whenComplete((_, _) -> underWay.decrementAndGet());
    given();
    return sent;
  }

  /** A command waits to leave. */
  private void given() {
    onLoop(pace::request);
  }

  private void onLoop(Runnable step) {
    try {
      if (gathers) {
        step.run();
      }
    } catch (RejectedExecutionException _) {
      // The loop has ended with the application, and every command has failed.
    }
  }

  private StatefulRedisConnection<String, byte[]> current() {
    StatefulRedisConnection<String, byte[]> current = connection.get();
    if (current == null) {
      throw new RedisAwayException("Redis is away");
    }
    return current;
  }

  /**
   * Waits for an answer; errors as {@link #run}.
   *
   * @param answer of this connection, or made of such
   */
  <T> T await(CompletionStage<T> answer) {
    onLoop(pace::hurry);
    return answers.await(answer);
  }

  /**
   * Sends something as {@link #start} and {@link #startCall} do; whatever goes wrong, at once or
   * later, completes it with a {@link RedisAwayException}.
   */
  <T> CompletionStage<T> failing(Supplier<CompletionStage<T>> command) {
    try {
      return command
          .get()
          .exceptionallyCompose(failure -> CompletableFuture.failedFuture(answers.away(failure)));
    } catch (RedisAwayException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Checks the epochs again on the current connection: somebody emptied a running Redis. */
  void renewEpochs() {
    try {
      Epochs.check(current().async(), this::given, this);
    } catch (RedisException e) {
      throw new RedisAwayException("Redis takes no more commands", e);
    }
  }

  /** Gives up a connection that does not answer; a new one is dialled. Any thread. */
  void drop(String reason) {
    StatefulRedisConnection<String, byte[]> current = connection.get();
    if (current != null) {
      LOG.atWarn().addKeyValue("reason", reason).log("redis_connection_dropped");
      lost(current);
      var _ = current.closeAsync();
    }
  }

  private void connect() {
    if (closed || connection.get() != null) {
      return;
    }
    StatefulRedisConnection<String, byte[]> fresh =
        Redial.await(client.connectAsync(CODEC, uri), dialTimeout);
    try {
      RedisAsyncCommands<String, byte[]> commands = fresh.async();
      Epochs.check(commands, () -> {}, this);
      List<RedisFuture<String>> loads = new ArrayList<>();
      for (Script script : Script.values()) {
        loads.add(commands.scriptLoad(script.source().getBytes(UTF_8)));
      }
      loads.forEach(this::await);
      preparations.forEach(preparation -> preparation.accept(commands));
      fresh.addListener(
          new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
              lost(fresh);
            }
          });
      // From now on when to is ours to say.
      fresh.setAutoFlushCommands(!gathers);
      connection.set(fresh);
    } catch (RuntimeException e) {
      var _ = fresh.closeAsync();
      throw e;
    }
    LOG.atInfo().addKeyValue("first", !everUp).log("redis_up");
    everUp = true;
    if (!fresh.isOpen()) {
      // Broke between the last command and the listener.
      lost(fresh);
      return;
    }
    upListeners.forEach(Runnable::run);
  }

  private void lost(StatefulRedisConnection<String, byte[]> broken) {
    if (connection.compareAndSet(broken, null) && !closed) {
      LOG.atWarn().log("redis_away");
      redial.start();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    redial.close();
    StatefulRedisConnection<String, byte[]> current = connection.get();
    if (current != null) {
      current.flushCommands();
      current.close();
    }
    var _ = client.getResources().eventLoopGroupProvider().release(loops, 0, 2, TimeUnit.SECONDS);
  }
}
