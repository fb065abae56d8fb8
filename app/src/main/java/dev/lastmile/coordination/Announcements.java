package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.connections.Presence;
import dev.lastmile.updates.Channel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Presence in Redis: which channels this incarnation holds connections of.
 *
 * <p>One call when a channel gets its first connection here and one when it loses its last; nothing
 * is refreshed per channel, since the lease stands for all. A withdrawal that fails is sent again
 * with the next renewal of the lease, until it arrives or the incarnation ends.
 */
final class Announcements implements Presence {
  private final RedisLink link;
  private final Leases leases;

  /** A withdrawal not confirmed yet. */
  private record Withdrawal(String incarnation, long generation) {}

  private final Map<Channel, Withdrawal> pending = new ConcurrentHashMap<>();

  Announcements(RedisLink link, Leases leases) {
    this.link = link;
    this.leases = leases;
  }

  @Override
  public String incarnation() {
    return leases.incarnation();
  }

  @Override
  public boolean isOurs(String incarnation) {
    return leases.isOurs(incarnation);
  }

  @Override
  public String announce(Channel channel, long generation) {
    String incarnation = leases.incarnation();
    if (announced(channel, generation, incarnation)) {
      return incarnation;
    }
    leases.renew();
    incarnation = leases.incarnation();
    if (!announced(channel, generation, incarnation)) {
      throw new RedisAwayException("the lease ended at once");
    }
    return incarnation;
  }

  private boolean announced(Channel channel, long generation, String incarnation) {
    CompletionStage<List<Object>> answer = send("announce", channel, generation, incarnation);
    return new Answer(link.await(answer)).text(0).equals("done");
  }

  @Override
  public void withdraw(Channel channel, long generation) {
    Withdrawal withdrawal = new Withdrawal(leases.incarnation(), generation);
    pending.put(channel, withdrawal);
    withdrawAgain(channel, withdrawal);
  }

  @Override
  public void leave() {
    leases.leave();
  }

  /** Sends again what was not confirmed. Never blocks. */
  void withdrawPending() {
    pending.forEach(this::withdrawAgain);
  }

  private void withdrawAgain(Channel channel, Withdrawal withdrawal) {
    if (!withdrawal.incarnation().equals(leases.incarnation())) {
      // What an old incarnation has left behind is collected by whoever sweeps.
      pending.remove(channel, withdrawal);
      return;
    }
    try {
      var _ =
          send("withdraw", channel, withdrawal.generation(), withdrawal.incarnation())
              .thenRun(() -> pending.remove(channel, withdrawal))
              // It stays pending.
              .exceptionally(_ -> null);
    } catch (RedisAwayException e) {
      // As above.
    }
  }

  private CompletionStage<List<Object>> send(
      String mode, Channel channel, long generation, String incarnation) {
    return link.start(
        Script.PRESENCE,
        List.of(
            Keys.meta(channel.partition()),
            Keys.leases(channel.partition()),
            Keys.presence(channel),
            Keys.channels(channel.partition(), incarnation)),
        List.of(
            incarnation.getBytes(UTF_8),
            mode.getBytes(UTF_8),
            channel.value().getBytes(UTF_8),
            Long.toString(generation).getBytes(UTF_8)));
  }
}
