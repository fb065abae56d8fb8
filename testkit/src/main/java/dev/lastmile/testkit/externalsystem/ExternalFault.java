package dev.lastmile.testkit.externalsystem;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Ways to report badly; names as in the demo's fault list. */
enum ExternalFault {
  /** Every webhook is sent twice. */
  DUPLICATE_CALLBACKS,
  /** Webhooks are held back for a random time, so that later ones overtake them. */
  REORDER_CALLBACKS,
  /** Half of the webhooks are never sent, at random. */
  LOSE_CALLBACKS,
  /** Every report takes longer. */
  SLOW_EXTERNAL;

  String wireName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static Optional<ExternalFault> parse(String name) {
    return Arrays.stream(values()).filter(fault -> fault.wireName().equals(name)).findAny();
  }
}
