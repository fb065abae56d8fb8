package dev.lastmile.redis;

import io.lettuce.core.RedisReadOnlyException;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a server reports about itself.
 *
 * @param role {@code master} or {@code slave}
 * @param primary address of the primary of a replica
 * @param maxMemory limit in bytes; 0 for none
 * @param evictionPolicy what the server does at the limit; empty if it does not tell
 * @see <a href="https://redis.io/docs/latest/commands/info/">INFO</a>
 */
record ServerInfo(String role, String primary, long maxMemory, String evictionPolicy) {
  private static final Logger LOG = LoggerFactory.getLogger(ServerInfo.class);
  private static final String NO_EVICTION = "noeviction";

  /**
   * @throws RedisUnavailableException if the text has no {@code master_replid}, as behind some
   *     proxies: it names the term
   */
  static ServerInfo parse(String info) {
    Map<String, String> fields = new HashMap<>();
    info.lines()
        .map(line -> line.split(":", 2))
        .filter(field -> field.length == 2)
        .forEach(field -> fields.put(field[0], field[1].strip()));
    if (!fields.containsKey("master_replid")) {
      throw new RedisUnavailableException("INFO of Redis has no master_replid");
    }
    return new ServerInfo(
        fields.getOrDefault("role", ""),
        fields.getOrDefault("master_host", "") + ":" + fields.getOrDefault("master_port", ""),
        Long.parseLong(fields.getOrDefault("maxmemory", "0")),
        fields.getOrDefault("maxmemory_policy", ""));
  }

  /**
   * Warns if the server may delete keys to free memory.
   *
   * @throws RedisReadOnlyException if the server is a replica, before a script finds out
   */
  void check() {
    if (role.equals("slave")) {
      throw new RedisReadOnlyException("READONLY the server is a replica of " + primary);
    }
    if (maxMemory > 0 && !evictionPolicy.isEmpty() && !evictionPolicy.equals(NO_EVICTION)) {
      LOG.atWarn()
          .addKeyValue("maxmemory_policy", evictionPolicy)
          .addKeyValue("detail", "Redis may delete stored state; set maxmemory-policy noeviction")
          .log("redis_may_evict");
    }
  }
}
