package dev.lastmile.startup;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.StandardEnvironment;

/**
 * Sets {@code spring.data.redis.url} from the environment variable {@code REDIS_URL}, and stops the
 * start if the address, or its combination with other settings, cannot be used.
 *
 * <p>The message never repeats the address, which may contain a password. The analyzer of Spring
 * Boot does. Runs after the configuration files were read.
 */
@Order(Ordered.LOWEST_PRECEDENCE)
final class RedisUrl implements EnvironmentPostProcessor {
  private static final String VARIABLE = "REDIS_URL";
  private static final String PROPERTY = "spring.data.redis.url";
  private static final String SENTINEL = "spring.data.redis.sentinel.master";
  private static final String CLUSTER = "spring.data.redis.cluster.nodes";
  private static final String DATABASE = "spring.data.redis.database";
  private static final String MASTER_REPLICA = "spring.data.redis.masterreplica.nodes";
  private static final Set<String> SCHEMES = Set.of("redis", "rediss");

  @Override
  public void postProcessEnvironment(
      ConfigurableEnvironment environment, SpringApplication application) {
    String variable = environment.getProperty(VARIABLE);
    if (variable != null && !variable.isBlank()) {
      add(environment.getPropertySources(), variable.strip());
    }
    checkTopology(environment);
    String url = environment.getProperty(PROPERTY);
    if (url != null && !isAddress(url)) {
      throw new IllegalStateException(
          PROPERTY
              + " (REDIS_URL) must be an address such as redis://user:password@127.0.0.1:6379/0, or"
              + " rediss:// for TLS. Other characters than letters and digits in the password must"
              + " be percent-encoded: %23 for #");
    }
  }

  /** Spring Boot would take the login from the address, and ignore its host without a message. */
  private static void checkTopology(ConfigurableEnvironment environment) {
    boolean cluster = isList(environment, CLUSTER);
    boolean sentinel = environment.getProperty(SENTINEL) != null;
    if (environment.getProperty(PROPERTY) != null && (cluster || sentinel)) {
      throw new IllegalStateException(
          PROPERTY
              + " (REDIS_URL) and "
              + (cluster ? CLUSTER : SENTINEL)
              + " exclude each other: set one of them");
    }
    if (cluster && environment.getProperty(DATABASE, Integer.class, 0) != 0) {
      throw new IllegalStateException(
          DATABASE + " must be 0 with " + CLUSTER + ": a cluster has one database");
    }
    if (isList(environment, MASTER_REPLICA)) {
      throw new IllegalStateException(
          MASTER_REPLICA + " is not supported: set the address of the primary, or Sentinels");
    }
  }

  private static boolean isList(ConfigurableEnvironment environment, String property) {
    return Binder.get(environment).bind(property, Bindable.listOf(String.class)).isBound();
  }

  /** With the precedence of an environment variable. */
  private static void add(MutablePropertySources sources, String url) {
    MapPropertySource source = new MapPropertySource(VARIABLE, Map.of(PROPERTY, url));
    if (sources.contains(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)) {
      sources.addAfter(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, source);
    } else {
      sources.addLast(source);
    }
  }

  private static boolean isAddress(String url) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      return false;
    }
    return uri.getScheme() != null
        && SCHEMES.contains(uri.getScheme())
        && uri.getHost() != null
        && uri.getPort() > 0
        && isDatabase(uri.getPath())
        && uri.getQuery() == null
        && uri.getFragment() == null;
  }

  private static boolean isDatabase(@Nullable String path) {
    return path == null || path.matches("/?\\d{0,4}");
  }
}
