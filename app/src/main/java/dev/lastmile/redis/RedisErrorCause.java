package dev.lastmile.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import io.netty.channel.ConnectTimeoutException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/**
 * The causes for which Redis cannot be reached or refuses a command. The names in lower case are
 * values of metric labels; {@code docs/how-to/redis-in-trouble.md} explains each of them.
 *
 * <p>Error replies are told apart by their first word, which is part of the protocol: <a
 * href="https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors">Redis
 * serialization protocol, simple errors</a>.
 */
enum RedisErrorCause {
  /** The server is a replica, for example a primary after a failover. */
  READONLY("READONLY"),
  /** The server is a replica without its primary, and serves no old data. */
  MASTERDOWN("MASTERDOWN"),
  /** The server reads its data after a start. */
  LOADING("LOADING"),
  /** The server has reached {@code maxmemory}. */
  OOM("OOM"),
  /** The server cannot write its snapshot or its append-only file. */
  MISCONF("MISCONF"),
  /** The server has fewer replicas than {@code min-replicas-to-write}. */
  NOREPLICAS("NOREPLICAS"),
  /** The server runs another script for too long. */
  BUSY("BUSY"),
  /** Another primary has the partition now. */
  MOVED("MOVED"),
  /** The partition moves to another primary, key by key. */
  TRYAGAIN("TRYAGAIN"),
  /** As {@link #TRYAGAIN}: none of the keys is at the old primary. */
  ASK("ASK"),
  /** The cluster has lost most of its primaries, or some slots. */
  CLUSTERDOWN("CLUSTERDOWN"),
  /** The server needs a password, and none was sent. */
  NOAUTH("NOAUTH"),
  /** The user or the password is wrong. */
  WRONGPASS("WRONGPASS"),
  /** The user may not use a command, a key or a Pub/Sub channel. */
  NOPERM("NOPERM"),
  /** The server has reached {@code maxclients}. */
  MAXCLIENTS,
  /** Another error reply: the server is too old, or a script is faulty. */
  ERROR_REPLY,
  /** The name of the host is not known. */
  UNKNOWN_HOST,
  /** Nothing listens at the address. */
  REFUSED,
  /** The network has no route to the address. */
  UNREACHABLE,
  /** TLS failed: an unknown certificate, another host name, or a server without TLS. */
  TLS,
  /** No Sentinel that answers knows the primary. */
  NO_PRIMARY,
  /** The data in Redis has the layout of another version. */
  OTHER_LAYOUT,
  /** No answer in time. */
  TIMEOUT,
  /** The connection ended, or there is none yet. */
  DISCONNECTED,
  /** This replica has too many commands without a reply. */
  OVERLOADED,
  /** None of these. */
  OTHER;

  private static final Set<RedisErrorCause> END_CONNECTION = Set.of(READONLY, MASTERDOWN, NOAUTH);

  private static final Set<RedisErrorCause> DOUBTS = Set.of(READONLY, MOVED, CLUSTERDOWN);

  private static final Set<RedisErrorCause> SLOT_NOT_SERVED =
      Set.of(MOVED, TRYAGAIN, ASK, CLUSTERDOWN);

  /** The first word of the error reply; empty for causes of another kind. */
  private final String word;

  RedisErrorCause() {
    this("");
  }

  RedisErrorCause(String word) {
    this.word = word;
  }

  String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Whether a connection that answers so is closed and another one is opened. The server will not
   * change its answer, and the name of the primary may lead to another server now.
   */
  boolean endsConnection() {
    return END_CONNECTION.contains(this);
  }

  /**
   * Whether the nodes of the cluster should be asked for the primary. Not while a slot moves: that
   * may take long, and MOVED tells the end.
   */
  boolean doubtsPrimary() {
    return DOUBTS.contains(this);
  }

  /**
   * Whether the server does not serve the slot of the partition: another primary has it, or will
   * have it, or none has it. Nothing was changed, and other partitions may work.
   */
  boolean isSlotNotServed() {
    return SLOT_NOT_SERVED.contains(this);
  }

  /** Whether a server has answered so. */
  boolean isAnswer() {
    return !word.isEmpty()
        || this == MAXCLIENTS
        || this == ERROR_REPLY
        || this == NO_PRIMARY
        || this == OTHER_LAYOUT;
  }

  /** The cause of a failure: that of the innermost exception that has one. */
  static RedisErrorCause of(Throwable failure) {
    RedisErrorCause cause = OTHER;
    Set<Throwable> seen = new HashSet<>();
    for (Throwable at = failure; at != null && seen.add(at); at = at.getCause()) {
      RedisErrorCause found = ofOne(at);
      cause = found == OTHER ? cause : found;
    }
    return cause;
  }

  private static RedisErrorCause ofOne(Throwable failure) {
    String message = failure.getMessage() == null ? "" : failure.getMessage();
    return switch (failure) {
      case RedisUnavailableException e -> e.reason();
      case RedisCommandExecutionException _ -> ofReply(message);
      case UnknownHostException _, UnresolvedAddressException _ -> UNKNOWN_HOST;
      case SSLException _, GeneralSecurityException _ -> TLS;
      case ConnectTimeoutException _, RedisCommandTimeoutException _, TimeoutException _ -> TIMEOUT;
      case NoRouteToHostException _ -> UNREACHABLE;
      case ConnectException _ -> message.contains("refused") ? REFUSED : UNREACHABLE;
      case RedisException _ -> DISCONNECTED;
      // Lettuce cancels commands that it has not sent when a connection is closed.
      case IOException _, CancellationException _ -> DISCONNECTED;
      default -> OTHER;
    };
  }

  private static RedisErrorCause ofReply(String message) {
    if (message.contains("max number of clients")) {
      return MAXCLIENTS;
    }
    if (message.contains("user executing the script can't")) {
      // The reply of Redis 7.0 to a command in a script.
      return NOPERM;
    }
    String word = message.split(" ", 2)[0];
    return Arrays.stream(values())
        .filter(cause -> !word.isEmpty() && cause.word.equals(word))
        .findFirst()
        .orElse(ERROR_REPLY);
  }
}
