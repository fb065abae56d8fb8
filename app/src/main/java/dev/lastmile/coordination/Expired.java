package dev.lastmile.coordination;

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
 * An expired delivery as an operator sees it.
 *
 * @param at when it was given up
 * @param reason {@code not_received} or {@code owner_gone}
 * @param owner the incarnation that it was expected of
 * @param replica that incarnation's replica
 * @param channelHash tells channels apart without naming them
 * @param ageSeconds time from its publication until it was given up
 */
record Expired(
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

  /**
   * What was expected and is not any more: from a line of the list that {@code sweep.lua} keeps.
   */
  static Delivery delivery(String line) {
    String[] field = line.split(" ", 4);
    String[] entry = field[2].split(":", 3);
    Cursor cursor = new Cursor("0".repeat(16), Long.parseLong(entry[1]));
    return Delivery.parse(new Channel(entry[0]), cursor, entry[2], field[3]);
  }

  /** Reads such a line. */
  static Expired parse(String line) {
    String[] field = line.split(" ", 3);
    long at = Long.parseLong(field[0]);
    Delivery delivery = delivery(line);
    return new Expired(
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
   * Eight digits of a digest: the channel's name itself gives access to nothing, but stays here.
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
