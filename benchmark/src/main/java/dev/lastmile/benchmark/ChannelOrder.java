package dev.lastmile.benchmark;

import java.util.Random;

/** A fixed pseudo-random order of all channels, repeated: each comes once per pass. */
final class ChannelOrder {
  private static final long SEED = 4_711;

  private final int[] channels;

  ChannelOrder(int count) {
    channels = new int[count];
    Random random = new Random(SEED);
    for (int i = 0; i < count; i++) {
      int place = random.nextInt(i + 1);
      channels[i] = channels[place];
      channels[place] = i;
    }
  }

  /** The channel of an update. */
  int channel(int number) {
    return channels[number % channels.length];
  }
}
