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
  APPLY,
  /** Reads what changed in a channel. */
  READ,
  /** Reads one operation. */
  GET,
  /** Takes a batch of acks. */
  ACK,
  /** Notes a flush in the timeline. */
  DELIVERED,
  /** Renews a partition's epoch if Redis is another process than before. */
  EPOCH,
  /** Deletes what is over its time. */
  TRIM,
  /** Claims operations to submit again. */
  CLAIM;

  private final String source;
  private final String sha1;

  Script() {
    String file = name().toLowerCase(Locale.ROOT) + ".lua";
    try (InputStream in = Script.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException(file + " is missing");
      }
      byte[] bytes = in.readAllBytes();
      source = new String(bytes, UTF_8);
      sha1 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
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
