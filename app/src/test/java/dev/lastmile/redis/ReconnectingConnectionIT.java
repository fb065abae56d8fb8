package dev.lastmile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.testkit.redis.RedisServer;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.StringCodec;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One attempt at a time, until there is a connection that can be used. */
class ReconnectingConnectionIT {
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final List<String> steps = new CopyOnWriteArrayList<>();
  private final List<RuntimeException> failures = new CopyOnWriteArrayList<>();
  private final AtomicInteger inside = new AtomicInteger();
  private volatile Runnable preparing = () -> {};
  private volatile Runnable connecting = () -> {};

  private RedisServer redis;
  private RedisClient client;
  private ScheduledThreadPoolExecutor scheduler;
  private ReconnectingConnection<StatefulRedisConnection<String, String>> connection;

  private final class Steps
      implements ReconnectingConnection.Steps<StatefulRedisConnection<String, String>> {
    @Override
    public CompletionStage<StatefulRedisConnection<String, String>> dial() {
      steps.add(inside.incrementAndGet() == 1 ? "dial" : "dial beside another attempt");
      return client
          .connectAsync(StringCodec.UTF8, RedisURI.create(redis.uri()))
          .whenComplete((_, _) -> inside.decrementAndGet());
    }

    @Override
    public void prepare(StatefulRedisConnection<String, String> fresh) {
      inside.incrementAndGet();
      try {
        preparing.run();
      } finally {
        inside.decrementAndGet();
      }
    }

    @Override
    public void connected() {
      inside.incrementAndGet();
      steps.add("connected");
      try {
        connecting.run();
      } finally {
        inside.decrementAndGet();
      }
    }

    @Override
    public void failed(RuntimeException failure) {
      failures.add(failure);
    }

    @Override
    public void lost() {
      steps.add("lost");
    }
  }

  @BeforeEach
  void start() {
    redis = RedisServer.start();
    client = RedisClient.create(redis.uri().toString());
    client.setOptions(ClientOptions.builder().autoReconnect(false).build());
    scheduler = new ScheduledThreadPoolExecutor(4);
    RedisProperties properties =
        new RedisProperties(
            "updates",
            Duration.ofSeconds(2),
            PAUSE,
            Duration.ofSeconds(2),
            Duration.ofSeconds(2),
            Duration.ofSeconds(2),
            Duration.ofSeconds(10),
            Duration.ofMillis(2),
            100);
    connection = new ReconnectingConnection<>(new Steps(), properties, System::nanoTime, scheduler);
  }

  @AfterEach
  void stop() {
    connection.close();
    scheduler.shutdownNow();
    client.shutdown();
    redis.close();
  }

  @Test
  void aConnectionThatCannotBeUsedIsTriedAgainAfterThePause() {
    AtomicInteger attempts = new AtomicInteger();
    preparing =
        () -> {
          if (attempts.incrementAndGet() < 3) {
            throw new RedisUnavailableException("not fit for use");
          }
        };
    long begun = System.nanoTime();
    connection.start();
    await().until(() -> connection.current() != null);
    assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(2 * PAUSE.toNanos());
    assertThat(steps).containsExactly("dial", "dial", "dial", "connected");
    assertThat(failures)
        .extracting(Throwable::getMessage)
        .containsExactly("not fit for use", "not fit for use");
  }

  @Test
  void aConnectionThatBreaksWhileItIsTakenIntoUseIsFollowedByAnother_oneAttemptAtATime() {
    connecting =
        () -> {
          connecting = () -> {};
          connection.drop();
          // The next attempt, if it began now, would be beside this one.
          LockSupport.parkNanos(2 * PAUSE.toNanos());
        };
    connection.start();
    await().until(() -> steps.size() == 5);
    assertThat(steps).containsExactly("dial", "connected", "lost", "dial", "connected");
  }

  @Test
  void oneThatRetiresDuringAnAttemptHasNoConnection() throws Exception {
    firstAttempt(connection::retire);
    assertThat(connection.current()).isNull();
    assertThat(attemptsAreOver()).isTrue();
    assertThat(steps).containsExactly("dial");
  }

  @Test
  void aCloseDuringAnAttemptLeavesNoConnection() throws Exception {
    firstAttempt(connection::close);
    assertThat(connection.current()).isNull();
    connection.start();
    assertThat(attemptsAreOver()).isTrue();
    assertThat(steps).containsExactly("dial");
  }

  @Test
  void anErrorDoesNotEndTheAttempts() {
    AtomicInteger attempts = new AtomicInteger();
    preparing =
        () -> {
          if (attempts.incrementAndGet() == 1) {
            throw new StackOverflowError("once");
          }
        };
    connection.start();
    // The error itself ends the thread of the attempt.
    await().dontCatchUncaughtExceptions().until(() -> connection.current() != null);
    assertThat(steps).containsExactly("dial", "dial", "connected");
  }

  @Test
  void aConnectionWhoseFollowingStepFailsStaysInUse_andIsReplacedWhenItBreaks() {
    connecting =
        () -> {
          connecting = () -> {};
          throw new IllegalStateException("a listener");
        };
    connection.start();
    await().until(() -> connection.current() != null && steps.size() == 2);
    assertThat(connection.drop()).isTrue();
    await().until(() -> steps.size() == 5);
    assertThat(steps).containsExactly("dial", "connected", "lost", "dial", "connected");
  }

  /** Starts, does something during the first attempt, and returns when the attempt has ended. */
  private void firstAttempt(Runnable meanwhile) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    preparing =
        () -> {
          preparing = () -> {};
          meanwhile.run();
          done.countDown();
        };
    connection.start();
    assertThat(done.await(5, TimeUnit.SECONDS)).isTrue();
    assertThat(attemptsAreOver()).isTrue();
  }

  /** Whether the scheduler has nothing to do: no attempt runs, and none is scheduled. */
  private boolean attemptsAreOver() {
    await().until(() -> scheduler.getActiveCount() == 0 && scheduler.getQueue().isEmpty());
    return true;
  }

  @Test
  void aConnectionThatTheServerClosesIsFollowedByAnother() {
    connection.start();
    await().until(() -> connection.current() != null);
    connection.current().sync().clientKill(clientAddress());
    await().until(() -> steps.size() == 5);
    assertThat(steps).containsExactly("dial", "connected", "lost", "dial", "connected");
  }

  private String clientAddress() {
    String info = connection.current().sync().clientInfo();
    return info.replaceFirst("(?s).*\\baddr=(\\S+).*", "$1");
  }
}
