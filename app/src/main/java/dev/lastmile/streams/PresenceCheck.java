package dev.lastmile.streams;

import dev.lastmile.updates.Channel;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds channels whose announcement was deleted in Redis, by an operator or by a Redis that may
 * evict keys. No publisher finds this replica among the owners of such a channel, so its streams
 * would get nothing. Such a channel is announced again, and its state is read.
 *
 * <p>Each check asks for a part of the channels, so that Redis is asked at an even rate: for every
 * channel once in {@code lastmile.stream.presence-check}.
 */
final class PresenceCheck {
  private static final Logger LOG = LoggerFactory.getLogger(PresenceCheck.class);
  private static final int PARTS = 30;

  private final StreamRegistry registry;
  private final Presence presence;
  private final Dispatcher dispatcher;
  private final Duration interval;
  private int part;

  PresenceCheck(
      StreamRegistry registry,
      Presence presence,
      Dispatcher dispatcher,
      StreamProperties properties) {
    this.registry = registry;
    this.presence = presence;
    this.dispatcher = dispatcher;
    this.interval = properties.presenceCheck().dividedBy(PARTS);
  }

  /** The interval between two checks. */
  Duration interval() {
    return interval;
  }

  /** Checks the next part. One call at a time; blocks as a read does, and throws as it does. */
  void check() {
    part = (part + 1) % PARTS;
    Map<Channel, ChannelStreams> announced = new HashMap<>();
    for (ChannelStreams group : registry.all()) {
      boolean isNext = Math.floorMod(group.channel().hashCode(), PARTS) == part;
      if (isNext && !group.retired && group.isAnnouncedAs(presence.incarnation(group.channel()))) {
        announced.put(group.channel(), group);
      }
    }
    if (announced.isEmpty()) {
      return;
    }
    int missing = 0;
    for (Channel channel : presence.missing(announced.keySet())) {
      ChannelStreams group = announced.get(channel);
      if (group != null && !group.retired) {
        dispatcher.announceAgain(group);
        missing++;
      }
    }
    if (missing > 0) {
      LOG.atWarn().addKeyValue("channels", missing).log("presence_missing");
    }
  }
}
