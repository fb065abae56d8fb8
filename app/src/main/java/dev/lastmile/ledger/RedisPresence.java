package dev.lastmile.ledger;

import dev.lastmile.redis.Keys;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisUnavailableException;
import dev.lastmile.redis.Script;
import dev.lastmile.redis.ScriptArguments;
import dev.lastmile.redis.ScriptReply;
import dev.lastmile.streams.Presence;
import dev.lastmile.updates.Channel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Presence in Redis: the channels of which this incarnation holds streams.
 *
 * <p>A channel costs one call for its first stream on this replica and one after its last, and a
 * read now and then ({@code PresenceCheck}). No channel is refreshed, because the lease covers all
 * of them. A withdrawal that fails is repeated at the interval of the lease renewal, until it
 * succeeds or the incarnation ends.
 */
@Component
public final class RedisPresence implements Presence {
  private static final Logger LOG = LoggerFactory.getLogger(RedisPresence.class);

  private final RedisConnection redis;
  private final Leases leases;

  /** A withdrawal that Redis has not confirmed yet. */
  private record Withdrawal(String incarnation, long generation) {}

  private final Map<Channel, Withdrawal> pending = new ConcurrentHashMap<>();

  RedisPresence(RedisConnection redis, Leases leases) {
    this.redis = redis;
    this.leases = leases;
  }

  @Override
  public String incarnation(Channel channel) {
    return leases.incarnation(channel.partition());
  }

  @Override
  public boolean isOurs(String incarnation) {
    return leases.isOurs(incarnation);
  }

  @Override
  public String announce(Channel channel, long generation) {
    return announced(channel, generation)
        .or(() -> {
          leases.renew(channel.partition());
          return announced(channel, generation);
        })
        .orElseThrow(() -> new RedisUnavailableException("the new lease has ended already"));
  }

  /** Announces under the current incarnation; empty if its lease has ended. */
  private Optional<String> announced(Channel channel, long generation) {
    String incarnation = incarnation(channel);
    ScriptReply reply =
        new ScriptReply(redis.await(send("announce", channel, generation, incarnation)));
    return reply.text(0).equals("done") ? Optional.of(incarnation) : Optional.empty();
  }

  @Override
  public List<Channel> missing(Collection<Channel> announced) {
    Map<Channel, CompletionStage<Boolean>> known = new LinkedHashMap<>();
    for (Channel channel : announced) {
      known.put(
          channel,
          redis.completing(() ->
              redis.startCall(
                  channel.partition(),
                  commands -> commands.hexists(Keys.presence(channel), incarnation(channel)))));
    }
    List<Channel> missing = new ArrayList<>();
    known.forEach((channel, reply) -> {
      try {
        if (!redis.await(reply)) {
          missing.add(channel);
        }
      } catch (RedisUnavailableException e) {
        // It is asked again next time.
        LOG.atDebug().setCause(e).log("presence_not_checked");
      }
    });
    return missing;
  }

  @Override
  public void withdraw(Channel channel, long generation) {
    Withdrawal withdrawal = new Withdrawal(incarnation(channel), generation);
    pending.put(channel, withdrawal);
    withdrawAgain(channel, withdrawal);
  }

  @Override
  public void leave() {
    leases.leave();
  }

  /** Repeats the withdrawals that were not confirmed. Never blocks. */
  public void withdrawPending() {
    pending.forEach(this::withdrawAgain);
  }

  private void withdrawAgain(Channel channel, Withdrawal withdrawal) {
    if (!withdrawal.incarnation().equals(incarnation(channel))) {
      // The sweep of any replica removes the presence of an old incarnation.
      pending.remove(channel, withdrawal);
      return;
    }
    try {
      var _ =
          send("withdraw", channel, withdrawal.generation(), withdrawal.incarnation())
              .thenRun(() -> pending.remove(channel, withdrawal))
              // The withdrawal stays pending.
              .exceptionally(_ -> null);
    } catch (RedisUnavailableException e) {
      // The withdrawal stays pending.
    }
  }

  private CompletionStage<List<Object>> send(
      String mode, Channel channel, long generation, String incarnation) {
    return redis.start(
        Script.PRESENCE,
        List.of(
            Keys.meta(channel.partition()),
            Keys.leases(channel.partition()),
            Keys.presence(channel),
            Keys.channels(channel.partition(), incarnation)),
        new ScriptArguments().add(incarnation).add(mode).add(channel.value()).add(generation));
  }
}
