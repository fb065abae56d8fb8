package dev.lastmile.streams;

/** Writes nothing: the test takes what the connection has queued. */
final class SilentWriter implements Writer {
  @Override
  public void flush() {}

  @Override
  public void end() {}

  @Override
  public void abort() {}

  @Override
  public void reject() {}
}
