package dev.lastmile.demo.page;

import dev.lastmile.pubsub.FanOutSwitch;
import dev.lastmile.store.FanOut;
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
    fanOut.use(mode(wanted));
    fanOut.discard(wanted.contains(DemoFault.DEAF));
    faults = Set.copyOf(wanted);
  }

  private FanOut.Mode mode(Set<DemoFault> wanted) {
    if (wanted.contains(DemoFault.LOCAL_ONLY)) {
      return FanOut.Mode.LOCAL_ONLY;
    }
    return wanted.contains(DemoFault.BROADCAST) ? FanOut.Mode.BROADCAST : fanOut.configured();
  }

  Set<DemoFault> faults() {
    return faults;
  }
}
