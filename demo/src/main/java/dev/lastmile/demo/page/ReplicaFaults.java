package dev.lastmile.demo.page;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which replicas are to have which faults: one notice per fault and replica, or one for all of
 * them. Any thread; blocks, and throws, as the notice board does.
 */
final class ReplicaFaults {
  private static final String ALL = "*";
  private static final String ON = "on";

  private final ExpiringKeyValues board;
  private final Duration endsAfter;

  ReplicaFaults(ExpiringKeyValues board, Duration endsAfter) {
    this.board = board;
    this.endsAfter = endsAfter;
  }

  private static String notice(DemoFault fault, String replica) {
    return "fault:" + fault.wireName() + ":" + replica;
  }

  /** Those of the known replicas that are to have a fault. */
  Set<String> of(DemoFault fault, Collection<String> known) {
    List<String> names = new ArrayList<>(List.of(notice(fault, ALL)));
    known.forEach(replica -> names.add(notice(fault, replica)));
    Map<String, String> found = board.read(names);
    if (found.containsKey(notice(fault, ALL))) {
      return new TreeSet<>(known);
    }
    Set<String> replicas = new TreeSet<>();
    for (String replica : known) {
      if (found.containsKey(notice(fault, replica))) {
        replicas.add(replica);
      }
    }
    return replicas;
  }

  /** The faults that one replica is to have. */
  Set<DemoFault> ofReplica(String replica) {
    List<String> names = new ArrayList<>();
    for (DemoFault fault : DemoFault.values()) {
      names.add(notice(fault, ALL));
      names.add(notice(fault, replica));
    }
    Set<String> found = board.read(names).keySet();
    Set<DemoFault> faults = EnumSet.noneOf(DemoFault.class);
    for (DemoFault fault : DemoFault.values()) {
      if (found.contains(notice(fault, ALL)) || found.contains(notice(fault, replica))) {
        faults.add(fault);
      }
    }
    return faults;
  }

  void switchOnEverywhere(DemoFault fault) {
    board.put(notice(fault, ALL), ON, endsAfter);
  }

  void switchOn(DemoFault fault, String replica) {
    board.put(notice(fault, replica), ON, endsAfter);
  }

  void switchOffEverywhere(DemoFault fault, Collection<String> known) {
    List<String> names = new ArrayList<>(List.of(notice(fault, ALL)));
    known.forEach(replica -> names.add(notice(fault, replica)));
    board.remove(names);
  }

  /**
   * First the others get it each for itself, then it ends for all: none is without it meanwhile.
   */
  void switchOff(DemoFault fault, String replica, Collection<String> known) {
    if (board.read(List.of(notice(fault, ALL))).isEmpty()) {
      board.remove(List.of(notice(fault, replica)));
      return;
    }
    for (String other : known) {
      if (!other.equals(replica)) {
        switchOn(fault, other);
      }
    }
    board.remove(List.of(notice(fault, ALL), notice(fault, replica)));
  }
}
