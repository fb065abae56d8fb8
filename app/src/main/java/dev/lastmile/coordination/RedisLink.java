package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Partition;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
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
import io.netty.util.concurrent.EventExecutor;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one connection for commands. Any thread may use it; commands are pipelined, in the order in
 * which they were given, and leave together ({@link FlushPace}).
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

  private static final Logger LOG = LoggerFactory.getLogger(RedisLink.class);
  private static final Pattern RUN_ID = Pattern.compile("^run_id:(\\w+)", Pattern.MULTILINE);
  private static final String EXAMPLES = "5";
  private static final SecureRandom RANDOM = new SecureRandom();

  private final RedisClient client;
  private final RedisURI uri;
  private final Duration timeout;
  private final Duration dialTimeout;
  private final Redial redial;
  private final Runnable flushSoon;
  private final List<Consumer<RedisAsyncCommands<String, byte[]>>> preparations =
      new CopyOnWriteArrayList<>();
  private final List<Runnable> upListeners = new CopyOnWriteArrayList<>();

  /** Written by the dialling thread and by the close listener of that same connection. */
  private final AtomicReference<@Nullable StatefulRedisConnection<String, byte[]>> connection =
      new AtomicReference<>();

  private volatile boolean closed;
  private volatile boolean everUp;

  RedisLink(RedisClient client, RedisProperties properties, LongSupplier nanos) {
    this.client = client;
    this.uri = properties.uri();
    this.timeout = properties.timeout();
    this.dialTimeout = properties.dialTimeout();
    this.flushSoon = flushSoon(properties.gather());
    this.redial = new Redial("redis-link", properties.redialInterval(), nanos, this::connect);
  }

  /** On the event loop of the connections, which a flush from elsewhere would have to wake. */
  private Runnable flushSoon(Duration gather) {
    if (gather.isZero()) {
      return this::flush;
    }
    EventExecutor loop =
        client
            .getResources()
            .eventLoopGroupProvider()
            .allocate(Transports.eventLoopGroupClass())
            .next();
    FlushPace pace =
        new FlushPace(
            loop,
            task -> {
              var _ = loop.schedule(task, gather.toNanos(), TimeUnit.NANOSECONDS);
            },
            this::flush);
    return pace::request;
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

  /** As {@link #call}, and leaves at once: for whoever measures how long the answer takes. */
  <T> T callAtOnce(Function<RedisAsyncCommands<String, byte[]>, RedisFuture<T>> command) {
    StatefulRedisConnection<String, byte[]> current = current();
    CompletionStage<T> answer = send(() -> command.apply(current.async()));
    current.flushCommands();
    return await(answer);
  }

  /** Lettuce throws at once when its queue of commands is full or the connection was closed. */
  private <T> T send(Supplier<T> command) {
    T sent;
    try {
      sent = command.get();
    } catch (RedisException e) {
      throw new RedisAwayException("Redis takes no more commands", e);
    }
    if (!closed) {
      flushSoon.run();
    }
    return sent;
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
    try {
      return answer.toCompletableFuture().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw away(e);
    } catch (ExecutionException e) {
      throw away(e.getCause() == null ? e : e.getCause());
    } catch (CancellationException e) {
      throw away(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RedisAwayException("interrupted", e);
    }
  }

  /** What an answer that did not come means for whoever asked. */
  RedisAwayException away(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return switch (cause) {
      case RedisAwayException away -> away;
      case TimeoutException _, RedisCommandTimeoutException _ ->
          new RedisAwayException(
              "Redis did not answer within " + timeout.toMillis() + " ms", cause);
      case CancellationException _ -> new RedisAwayException("Redis connection broke", cause);
      case RedisCommandExecutionException _ -> {
        // Out of memory, read-only, loading, or a broken script: an operator has to look.
        LOG.atError().addKeyValue("error", cause.getMessage()).log("redis_refused");
        yield new RedisAwayException("Redis failed: " + cause.getMessage(), cause);
      }
      default -> new RedisAwayException("Redis failed: " + cause.getMessage(), cause);
    };
  }

  /** Checks the epochs again on the current connection: somebody emptied a running Redis. */
  void renewEpochs() {
    try {
      checkEpochs(current());
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
      checkEpochs(fresh);
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
      // What leaves from now on, leaves together.
      fresh.setAutoFlushCommands(false);
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

  private void checkEpochs(StatefulRedisConnection<String, byte[]> asked) {
    RedisAsyncCommands<String, byte[]> commands = asked.async();
    RedisFuture<String> info = commands.info("server");
    asked.flushCommands();
    Matcher runId = RUN_ID.matcher(await(info));
    if (!runId.find()) {
      throw new RedisAwayException("Redis does not tell its run_id");
    }
    byte[] run = runId.group(1).getBytes(UTF_8);
    List<RedisFuture<List<Object>>> answers = new ArrayList<>();
    for (Partition partition : Partition.ALL) {
      byte[] bits = new byte[8];
      RANDOM.nextBytes(bits);
      byte[] candidate = HexFormat.of().formatHex(bits).getBytes(UTF_8);
      answers.add(
          commands.eval(
              Script.EPOCH.source().getBytes(UTF_8),
              ScriptOutputType.MULTI,
              Keys.epoch(partition).toArray(String[]::new),
              run,
              candidate,
              EXAMPLES.getBytes(UTF_8)));
    }
    asked.flushCommands();
    int renewed = 0;
    for (Partition partition : Partition.ALL) {
      Answer epochs = new Answer(await(answers.get(partition.index())));
      if (!epochs.text(0).equals(epochs.text(1))) {
        renewed++;
        tellOutstanding(partition, epochs);
      }
    }
    if (renewed > 0) {
      LOG.atInfo().addKeyValue("partitions", renewed).log("epoch_renewed");
    }
  }

  /** What the old epoch still expected: nobody will settle it, and nobody counts it. */
  private static void tellOutstanding(Partition partition, Answer renewed) {
    if (renewed.number(2) == 0) {
      return;
    }
    List<String> examples = new ArrayList<>();
    for (int i = 3; i < renewed.size(); i += 2) {
      examples.add(renewed.text(i) + " " + renewed.text(i + 1));
    }
    LOG.atWarn()
        .addKeyValue("partition", partition.index())
        .addKeyValue("outstanding", renewed.number(2))
        .addKeyValue("examples", examples)
        .log("epoch_renewed_with_outstanding");
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
      current.close();
    }
  }
}
