package dev.lastmile.streams;

import dev.lastmile.updates.Channel;
import java.util.ArrayList;
import java.util.List;

/** Presence that confirms at once and remembers what it was told. */
final class FakePresence implements Presence {
  final List<String> calls = new ArrayList<>();
  long announcedAtMicros;
  String incarnation = "replica-1~00000000.0";

  @Override
  public String incarnation() {
    return incarnation;
  }

  @Override
  public boolean isOurs(String other) {
    return other.startsWith("replica-1~00000000.");
  }

  @Override
  public Announcement announce(Channel channel, long generation) {
    calls.add("announce " + generation);
    return new Announcement(incarnation, announcedAtMicros);
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
