package dev.lastmile.demo.page;

import dev.lastmile.pubsub.FanOutSwitch;
import java.util.Set;

/** The faults that this replica has. Written by one thread, read by any. */
final class OwnFaults {
  private final FanOutSwitch fanOut;
  private volatile Set<DemoFault> faults = Set.of();

  OwnFaults(FanOutSwitch fanOut) {
    this.fanOut = fanOut;
  }

  /** Takes these and no others. */
  void take(Set<DemoFault> wanted) {
    fanOut.suspend(wanted.contains(DemoFault.LOCAL_ONLY));
    fanOut.discard(wanted.contains(DemoFault.DEAF));
    faults = Set.copyOf(wanted);
  }

  Set<DemoFault> faults() {
    return faults;
  }
}
