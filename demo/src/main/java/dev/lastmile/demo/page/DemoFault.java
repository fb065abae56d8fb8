package dev.lastmile.demo.page;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the demo can switch, mostly faults: each of replicas or of the external system. */
enum DemoFault {
  /** The replica neither publishes nor subscribes, as several replicas without coordination. */
  LOCAL_ONLY(true),
  /**
   * No fault: the replica publishes each update to all replicas. {@link #LOCAL_ONLY} goes before.
   */
  BROADCAST(true),
  /** The replica's subscription is open and receives nothing. */
  DEAF(true),
  /** The replica answers callbacks with 503, so the external system sends them to another one. */
  REFUSE_CALLBACKS(true),
  /** Every callback is sent twice. */
  DUPLICATE_CALLBACKS(false),
  /** Later callbacks overtake earlier ones. */
  REORDER_CALLBACKS(false),
  /** Half of the callbacks are never sent. */
  LOSE_CALLBACKS(false),
  /** Every callback is sent later. */
  SLOW_EXTERNAL(false);

  private final boolean ofReplicas;

  DemoFault(boolean ofReplicas) {
    this.ofReplicas = ofReplicas;
  }

  /** Whether it is a fault of replicas; otherwise it is one of the external system. */
  boolean isOfReplicas() {
    return ofReplicas;
  }

  /** The name in URLs and responses. */
  String wireName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static Optional<DemoFault> parse(String name) {
    return Arrays.stream(values()).filter(fault -> fault.wireName().equals(name)).findAny();
  }

  static List<String> names() {
    return Arrays.stream(values()).map(DemoFault::wireName).toList();
  }
}
