package dev.lastmile.benchmark;

import java.util.Map;

/** A system that holds streams and takes updates for them, in processes that it starts. */
interface Candidate extends AutoCloseable {
  /** Length of what is sent for an update, in bytes. */
  int UPDATE_BYTES = 200;

  /** Starts it and waits until it serves. */
  void start();

  /**
   * Makes whatever has to be there before its channels can be updated. One thread.
   *
   * @param channels how many, counted from 0
   */
  void prepare(int channels);

  /**
   * What opens a stream.
   *
   * @param number of the stream; decides at which node
   */
  Request stream(int channel, int number);

  /**
   * What updates a channel: {@value #UPDATE_BYTES} bytes with a {@link Stamp}. Any thread; those of
   * one channel have to be sent in the order in which they were made.
   */
  Request update(int channel, long instantNanos, int number);

  /** Its processes by what they are: {@code A}, {@code B}, {@code Redis}, ... */
  Map<String, Launched> parts();

  @Override
  void close();
}
