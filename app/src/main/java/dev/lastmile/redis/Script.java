package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.springframework.core.io.ClassPathResource;

/**
 * The Lua scripts; each runs atomically. The file of a script documents its keys, arguments and
 * reply. A call declares every key, and all its keys are in one partition.
 */
public enum Script {
  /** Creates an operation and publishes it. */
  CREATE("term.lua", "clock.lua", "channel.lua", "update.lua"),
  /** Stores a change of an operation and publishes it. */
  CHANGE("term.lua", "clock.lua", "channel.lua", "update.lua"),
  /** Reads the changes of a channel after a cursor. */
  READ("term.lua", "clock.lua", "channel.lua"),
  /** Reads one operation. */
  GET("term.lua"),
  /** Stores a batch of acks. */
  ACK,
  /** Takes, renews or releases a lease. */
  LEASE("term.lua", "clock.lua"),
  /** Announces or withdraws the presence of an incarnation in a channel. */
  PRESENCE("clock.lua"),
  /** Settles deliveries. */
  SETTLE,
  /** Finds the expected deliveries that a read of state has delivered. */
  FIND_EXPECTED("term.lua"),
  /** Redelivers and expires overdue deliveries. */
  SWEEP("term.lua", "clock.lua", "totals.lua"),
  /** Removes the presence and the lease of an incarnation whose lease has ended. */
  REAP_INCARNATION("clock.lua"),
  /** Deletes the totals of replicas whose last lease ended long ago. */
  DELETE_REPLICA_TOTALS("clock.lua"),
  /** Lets the totals of a partition begin anew. */
  BEGIN_ACCOUNT("term.lua", "clock.lua", "totals.lua"),
  /** Reads the totals of the ledger. */
  ACCOUNT("term.lua", "clock.lua"),
  /** Appends an expiry to the timeline of an operation. */
  APPEND_TIMELINE,
  /** Begins an epoch of a partition that has none. */
  EPOCH("term.lua"),
  /** Deletes final operations whose retention time has passed. */
  TRIM("term.lua", "clock.lua", "channel.lua"),
  /** Deletes operations whose pointer was deleted. */
  DELETE_LOST("term.lua", "clock.lua", "channel.lua"),
  /** Claims operations to submit again or to poll. */
  CLAIM;

  private final String source;
  private final String sha1;

  /**
   * @param preludes files whose functions the script uses, in their order
   */
  Script(String... preludes) {
    StringBuilder text = new StringBuilder();
    for (String prelude : preludes) {
      text.append(read(prelude));
    }
    source = text.append(read(name().toLowerCase(Locale.ROOT) + ".lua")).toString();
    try {
      byte[] digest = MessageDigest.getInstance("SHA-1").digest(source.getBytes(UTF_8));
      sha1 = HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String read(String file) {
    try {
      return new ClassPathResource(file, Script.class).getContentAsString(UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String source() {
    return source;
  }

  /** The digest for {@code EVALSHA}. */
  String sha1() {
    return sha1;
  }
}
