/**
 * Access to Redis: connections, scripts, key names, epochs, Redis time and periodic tasks.
 *
 * <p>Each replica has two connections to each primary: one for commands, which all threads share,
 * and one for its subscription. Both reconnect by {@link
 * dev.lastmile.redis.ReconnectingConnection}. Methods that read or write Redis block the calling
 * (virtual) thread for at most {@code lastmile.redis.timeout} and throw {@link
 * dev.lastmile.redis.RedisUnavailableException}. Callbacks from Redis never block.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"telemetry", "updates"})
package dev.lastmile.redis;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
