package dev.lastmile.coordination;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import java.util.ArrayList;
import java.util.List;

/**
 * The names of all keys. What each holds is documented in {@code apply.lua}.
 *
 * <p>Every name starts with the partition's hash tag, so the keys of one call share a slot.
 */
final class Keys {
  private Keys() {}

  static String meta(Partition partition) {
    return partition.tag() + ":meta";
  }

  static String submissions(Partition partition) {
    return partition.tag() + ":submissions";
  }

  static String expiry(Partition partition) {
    return partition.tag() + ":expiry";
  }

  static String overdue(Partition partition) {
    return partition.tag() + ":overdue";
  }

  static String leases(Partition partition) {
    return partition.tag() + ":leases";
  }

  /** In one partition only. */
  static String hearing() {
    return Partition.ALL.getFirst().tag() + ":hearing";
  }

  /** In one partition only. */
  static String notice(String name) {
    return Partition.ALL.getFirst().tag() + ":notice:" + name;
  }

  /** What is outstanding: the ledger, what was redelivered, and the entries of both. */
  static List<String> ledger(Partition partition) {
    return List.of(
        partition.tag() + ":ledger", partition.tag() + ":redelivered", entries(partition));
  }

  /** What changes when the epoch does. */
  static List<String> epoch(Partition partition) {
    List<String> keys = new ArrayList<>();
    keys.add(meta(partition));
    keys.addAll(ledger(partition));
    keys.add(account(partition));
    keys.add(leases(partition));
    if (partition.equals(Partition.ALL.getFirst())) {
      keys.add(hearing());
    }
    return keys;
  }

  static String entries(Partition partition) {
    return partition.tag() + ":entries";
  }

  static String account(Partition partition) {
    return partition.tag() + ":account";
  }

  static String expired(Partition partition) {
    return partition.tag() + ":expired";
  }

  static String presence(Channel channel) {
    return channel.partition().tag() + ":presence:" + channel;
  }

  /** The channels that an incarnation has announced. */
  static String channels(Partition partition, String incarnation) {
    return partition.tag() + ":channels:" + incarnation;
  }

  /** What holds the state of a channel, in the order in which scripts that change it declare it. */
  static List<String> state(Channel channel) {
    return List.of(
        meta(channel.partition()),
        channel(channel),
        log(channel),
        operations(channel),
        finals(channel));
  }

  static String channel(Channel channel) {
    return channel.partition().tag() + ":channel:" + channel;
  }

  static String log(Channel channel) {
    return channel.partition().tag() + ":log:" + channel;
  }

  static String operations(Channel channel) {
    return channel.partition().tag() + ":operations:" + channel;
  }

  static String finals(Channel channel) {
    return channel.partition().tag() + ":finals:" + channel;
  }

  static String idempotency(Channel channel, String digest) {
    return channel.partition().tag() + ":idempotency:" + channel + ":" + digest;
  }

  static String pointer(OperationId id) {
    return id.partition().tag() + ":pointer:" + id;
  }

  static String timeline(OperationId id) {
    return id.partition().tag() + ":timeline:" + id;
  }
}
