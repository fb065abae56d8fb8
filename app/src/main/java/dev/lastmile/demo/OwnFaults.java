package dev.lastmile.demo;

import dev.lastmile.coordination.CoordinationSwitch;
import java.util.Set;

/** The faults that this replica has. Written by one thread, read by any. */
final class OwnFaults {
  private final CoordinationSwitch coordination;
  private volatile Set<DemoFault> faults = Set.of();

  OwnFaults(CoordinationSwitch coordination) {
    this.coordination = coordination;
  }

  /** Takes these and no others. */
  void take(Set<DemoFault> wanted) {
    coordination.suspend(wanted.contains(DemoFault.LOCAL_ONLY));
    coordination.deafen(wanted.contains(DemoFault.DEAF));
    faults = Set.copyOf(wanted);
  }

  Set<DemoFault> faults() {
    return faults;
  }
}
