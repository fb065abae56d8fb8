package dev.lastmile.benchmark;

/** Counts stamped updates for the phase that is under way. */
final class DeliveryRecorder implements StreamListener {
  private static final Phase NONE = new Phase(0, 0, 0, _ -> -1, () -> {});

  private volatile Phase phase = NONE;

  void begin(Phase next) {
    phase = next;
  }

  @Override
  public void event(OneStream stream, Kind kind, boolean hasId, byte[] bytes, int from, int to) {
    if (kind != Kind.UPDATE) {
      return;
    }
    int at = Stamp.find(bytes, from, to);
    if (at >= 0) {
      phase.arrived(
          stream.number(),
          Stamp.number(bytes, at),
          Stamp.instantNanos(bytes, at),
          stream.readAtNanos());
    }
  }
}
