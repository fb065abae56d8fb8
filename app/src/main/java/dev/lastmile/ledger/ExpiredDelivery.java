package dev.lastmile.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;

/**
 * An expired delivery, as operators read it.
 *
 * @param at time of its expiry
 * @param reason {@code not_received} or {@code owner_gone}
 * @param owner the incarnation that should have delivered it
 * @param replica the replica of that incarnation
 * @param channelHash distinguishes channels without their ids
 * @param ageSeconds time from its publication to its expiry
 */
record ExpiredDelivery(
    Instant at,
    String reason,
    String owner,
    String replica,
    String operationId,
    long version,
    String correlationId,
    String traceId,
    String channelHash,
    double ageSeconds) {

  /** The delivery that expired, from a line of the list that {@code sweep.lua} keeps. */
  static Delivery delivery(String line) {
    String[] field = line.split(" ", 4);
    String[] entry = field[2].split(":", 3);
    // The line does not say in which epoch and term it expired.
    Cursor cursor = new Cursor("", "", Long.parseLong(entry[1]));
    return Delivery.parse(new Channel(entry[0]), cursor, entry[2], field[3]);
  }

  /** Parses a line of that list. */
  static ExpiredDelivery parse(String line) {
    String[] field = line.split(" ", 3);
    long at = Long.parseLong(field[0]);
    Delivery delivery = delivery(line);
    return new ExpiredDelivery(
        Instant.EPOCH.plus(at, ChronoUnit.MICROS),
        field[1],
        delivery.owner(),
        delivery.owner().substring(0, delivery.owner().lastIndexOf('~')),
        delivery.operationId().value(),
        delivery.version(),
        delivery.correlationId().value(),
        delivery.traceId(),
        hash(delivery.channel()),
        (at - delivery.publishedAtMicros()) / 1e6);
  }

  /**
   * The first eight hexadecimal digits of SHA-256 over the channel id. The id gives no access, but
   * it is not published.
   */
  static String hash(Channel channel) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(channel.value().getBytes(UTF_8));
      return HexFormat.of().formatHex(digest, 0, 4);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
