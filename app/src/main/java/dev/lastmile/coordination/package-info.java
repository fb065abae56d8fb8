/**
 * Everything that the replicas share, which is everything in Redis: the scripts and their Java
 * sides (state, presence, ledger, account), the subscription and the proof that it hears, Redis
 * time.
 *
 * <p>Two connections per replica: one for commands, pipelined by all threads, and one that only
 * listens. Both are dialled again by us ({@link dev.lastmile.coordination.RedisLink} says why).
 * Methods that read or write Redis block the calling (virtual) thread for at most {@code
 * lastmile.redis.timeout} and throw {@link dev.lastmile.coordination.RedisAwayException}; what
 * calls back from Redis never blocks. Implements the ports of {@code connections}.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"connections", "telemetry", "updates"})
package dev.lastmile.coordination;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
