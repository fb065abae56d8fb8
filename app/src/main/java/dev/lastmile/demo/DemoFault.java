package dev.lastmile.demo;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What can be made to go wrong, and where. */
enum DemoFault {
  /** The replica neither publishes nor listens: as several replicas without coordination. */
  LOCAL_ONLY(true),
  /** The replica's subscription is there and brings nothing. */
  DEAF(true),
  /** The replica answers callbacks with 503, as if it were not there: somebody else gets them. */
  REFUSE_CALLBACKS(true),
  /** Every callback comes twice. */
  DUPLICATE_CALLBACKS(false),
  /** Later callbacks overtake earlier ones. */
  REORDER_CALLBACKS(false),
  /** Half of the callbacks never come. */
  LOSE_CALLBACKS(false),
  /** Every callback comes later. */
  SLOW_EXTERNAL(false);

  private final boolean ofReplicas;

  DemoFault(boolean ofReplicas) {
    this.ofReplicas = ofReplicas;
  }

  /** Whether replicas have it; otherwise the external system does. */
  boolean isOfReplicas() {
    return ofReplicas;
  }

  /** The name in addresses and answers. */
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
