package dev.lastmile.benchmark;

import java.util.Map;

/** A system that holds streams and takes updates for them, in processes that it starts. */
interface Candidate extends AutoCloseable {
  /** Length of an update's request body, in bytes. */
  int UPDATE_BYTES = 200;

  /** Starts it and waits until it serves. */
  void start();

  /**
   * Creates what its channels need before they can be updated. One thread.
   *
   * @param channels how many, counted from 0
   */
  void prepare(int channels);

  /**
   * The request that opens a stream.
   *
   * @param number of the stream; decides at which node
   */
  Request stream(int channel, int number);

  /**
   * The request that updates a channel: {@value #UPDATE_BYTES} bytes with a {@link Stamp}. Any
   * thread; those of one channel have to be sent in the order in which they were made.
   */
  Request update(int channel, long instantNanos, int number);

  /** Its processes by name: {@code A}, {@code B}, {@code Redis}, ... */
  Map<String, Launched> parts();

  @Override
  void close();
}
