package dev.lastmile.streams;

import dev.lastmile.updates.Channel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Presence that confirms at once and remembers what it was told. */
final class FakePresence implements Presence {
  final List<String> calls = new ArrayList<>();
  final Set<Channel> deleted = ConcurrentHashMap.newKeySet();
  String incarnation = "replica-1~00000000.0";

  @Override
  public String incarnation(Channel channel) {
    return incarnation;
  }

  @Override
  public boolean isOurs(String other) {
    return other.startsWith("replica-1~00000000.");
  }

  @Override
  public String announce(Channel channel, long generation) {
    calls.add("announce " + generation);
    deleted.remove(channel);
    return incarnation;
  }

  @Override
  public List<Channel> missing(Collection<Channel> announced) {
    return announced.stream().filter(deleted::contains).toList();
  }

  @Override
  public void withdraw(Channel channel, long generation) {
    calls.add("withdraw " + generation);
  }

  @Override
  public void leave() {
    calls.add("leave");
  }
}
