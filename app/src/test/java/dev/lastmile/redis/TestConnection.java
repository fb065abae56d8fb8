package dev.lastmile.redis;

import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultEventLoopGroupProvider;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.UnaryOperator;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * A connection to a Redis of a test, with all that it needs, from settings as a replica has them.
 */
public final class TestConnection implements AutoCloseable {
  final ClientResources resources =
      ClientResources.builder()
          .eventLoopGroupProvider(new DefaultEventLoopGroupProvider(1))
          .build();
  final ScheduledExecutorService scheduler = new ScheduledThreadPoolExecutor(4);
  final RedisErrors errors;
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final ConfigurableApplicationContext spring;
  private final RedisDialer dialer;
  private final RedisConnection connection;

  @EnableConfigurationProperties(RedisProperties.class)
  @ImportAutoConfiguration({DataRedisAutoConfiguration.class, SslAutoConfiguration.class})
  static class Settings {}

  /** Not started. */
  public TestConnection(URI redis) {
    this(List.of("spring.data.redis.url=" + redis, "lastmile.redis.gather=2ms"));
  }

  /** Not started; with the settings of Redis, {@code name=value}. */
  TestConnection(List<String> settings) {
    this(settings, UnaryOperator.identity());
  }

  /** As above, with properties that no setting could have. */
  TestConnection(List<String> settings, UnaryOperator<RedisProperties> change) {
    spring =
        new SpringApplicationBuilder(Settings.class)
            .web(WebApplicationType.NONE)
            .properties("lastmile.redis.redial-interval=50ms")
            .run(settings.stream().map(setting -> "--" + setting).toArray(String[]::new));
    RedisProperties properties = change.apply(spring.getBean(RedisProperties.class));
    dialer = new RedisDialer(spring.getBean(LettuceConnectionFactory.class), resources, properties);
    errors = new RedisErrors(System::nanoTime, meters);
    connection =
        new RedisConnection(dialer, resources, errors, properties, System::nanoTime, scheduler);
  }

  public RedisConnection connection() {
    return connection;
  }

  /** The number of errors of a cause. */
  double errorCount(RedisErrorCause cause) {
    return meters.get("lastmile.redis.errors").tag("cause", cause.wireName()).counter().count();
  }

  @Override
  public void close() {
    connection.close();
    scheduler.shutdownNow();
    dialer.close();
    resources.shutdown();
    spring.close();
  }
}
