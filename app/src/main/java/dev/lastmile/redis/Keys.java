package dev.lastmile.redis;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Partition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The names of all keys of the service in Redis. {@code docs/reference/redis-keys.md} and {@code
 * update.lua} document their content.
 *
 * <p>Every name starts with the hash tag of its partition, so the keys of one call share a slot.
 */
public final class Keys {
  private Keys() {}

  /**
   * A key that never exists; the last one of every script. While its slot moves to another node of
   * a cluster, both nodes refuse a script that has a missing key. Otherwise a script could begin,
   * delete a key, and be refused at its next access of that key, without a rollback.
   *
   * @see <a href="https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/">Redis
   *     cluster specification: multi-key operations</a>
   */
  static String none(Partition partition) {
    return partition.tag() + ":none";
  }

  /** What a call of a script declares: its keys, and {@link #none}. */
  static String[] declared(List<String> keys) {
    String[] declared = Arrays.copyOf(keys.toArray(String[]::new), keys.size() + 1);
    declared[keys.size()] = none(Partition.ofKey(keys.getFirst()));
    return declared;
  }

  public static String meta(Partition partition) {
    return partition.tag() + ":meta";
  }

  public static String submissions(Partition partition) {
    return partition.tag() + ":submissions";
  }

  public static String expiry(Partition partition) {
    return partition.tag() + ":expiry";
  }

  public static String overdue(Partition partition) {
    return partition.tag() + ":overdue";
  }

  public static String deadlines(Partition partition) {
    return partition.tag() + ":deadlines";
  }

  public static String leases(Partition partition) {
    return partition.tag() + ":leases";
  }

  /** Incarnations that receive their canary; in the first partition only. */
  public static String receiving() {
    return Partition.ALL.getFirst().tag() + ":hearing";
  }

  /** Outstanding deliveries: the ledger, the redelivered ones, and the entries of both. */
  public static List<String> ledger(Partition partition) {
    return List.of(
        partition.tag() + ":ledger", partition.tag() + ":redelivered", entries(partition));
  }

  /** The keys that a renewal of the epoch changes. */
  static List<String> epoch(Partition partition) {
    List<String> keys = new ArrayList<>();
    keys.add(meta(partition));
    keys.addAll(ledger(partition));
    keys.add(account(partition));
    keys.add(leases(partition));
    if (partition.equals(Partition.ALL.getFirst())) {
      keys.add(receiving());
    }
    return keys;
  }

  public static String entries(Partition partition) {
    return partition.tag() + ":entries";
  }

  /** The newest reading of the totals of all partitions. */
  public static String totals() {
    return Partition.ALL.getFirst().tag() + ":totals";
  }

  public static String account(Partition partition) {
    return partition.tag() + ":account";
  }

  public static String expired(Partition partition) {
    return partition.tag() + ":expired";
  }

  public static String presence(Channel channel) {
    return channel.partition().tag() + ":presence:" + channel;
  }

  /** The channels for which an incarnation has announced its presence. */
  public static String channels(Partition partition, String incarnation) {
    return partition.tag() + ":channels:" + incarnation;
  }

  /** The keys of a channel's state, in the order in which the scripts that change it expect it. */
  public static List<String> state(Channel channel) {
    return List.of(meta(channel.partition()), log(channel), operations(channel), finals(channel));
  }

  static String log(Channel channel) {
    return channel.partition().tag() + ":log:" + channel;
  }

  public static String operations(Channel channel) {
    return channel.partition().tag() + ":operations:" + channel;
  }

  static String finals(Channel channel) {
    return channel.partition().tag() + ":finals:" + channel;
  }

  public static String idempotency(Channel channel, String digest) {
    return channel.partition().tag() + ":idempotency:" + channel + ":" + digest;
  }

  /** The immutable part of an operation. */
  public static String operationMetadata(OperationId id) {
    return id.partition().tag() + ":pointer:" + id;
  }

  public static String timeline(OperationId id) {
    return id.partition().tag() + ":timeline:" + id;
  }
}
