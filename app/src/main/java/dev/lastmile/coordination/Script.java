package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * The atomic steps. Each is a Lua file beside this class, which documents its keys, arguments and
 * answer; every key is declared, and all keys of a call lie in one partition.
 */
enum Script {
  /** Creates or changes an operation and publishes the update. */
  APPLY(true),
  /** Reads what changed in a channel. */
  READ,
  /** Reads one operation. */
  GET,
  /** Takes a batch of acks. */
  ACK,
  /** Takes, renews or gives up a lease. */
  LEASE(true),
  /** Announces or withdraws a channel. */
  PRESENCE(true),
  /** Settles deliveries. */
  SETTLE,
  /** Finds the deliveries that a read of state has brought. */
  COVER,
  /** Redelivers and expires what is overdue. */
  SWEEP(true),
  /** Removes what a dead incarnation has left. */
  COLLECT(true),
  /** Forgets the totals of replicas that are gone for long. */
  RETIRE(true),
  /** Reads the account. */
  ACCOUNT(true),
  /** Notes in the timeline that a delivery has expired. */
  NOTE,
  /** Renews a partition's epoch if Redis is another process than before. */
  EPOCH,
  /** Deletes what is over its time. */
  TRIM,
  /** Claims operations to submit again, or to ask for. */
  CLAIM;

  private final String source;
  private final String sha1;

  Script() {
    this(false);
  }

  /**
   * @param judges whether it judges by time and needs what {@code clock.lua} defines
   */
  Script(boolean judges) {
    source = (judges ? read("clock.lua") : "") + read(name().toLowerCase(Locale.ROOT) + ".lua");
    try {
      byte[] digest = MessageDigest.getInstance("SHA-1").digest(source.getBytes(UTF_8));
      sha1 = HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String read(String file) {
    try (InputStream in = Script.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException(file + " is missing");
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String source() {
    return source;
  }

  /** The digest by which Redis knows it once it has been loaded. */
  String sha1() {
    return sha1;
  }
}
