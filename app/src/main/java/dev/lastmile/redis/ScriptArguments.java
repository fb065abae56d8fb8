package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The arguments of a script in the order that its file documents. One thread adds them. */
public final class ScriptArguments {
  private final List<byte[]> encoded = new ArrayList<>();

  /** Text in UTF-8. */
  public ScriptArguments add(String text) {
    return add(text.getBytes(UTF_8));
  }

  /** A whole number in decimal digits. */
  public ScriptArguments add(long number) {
    return add(Long.toString(number));
  }

  /** {@code 1} for true, {@code 0} for false. */
  public ScriptArguments add(boolean flag) {
    return add(flag ? "1" : "0");
  }

  /** A duration in milliseconds. */
  public ScriptArguments add(Duration duration) {
    return add(duration.toMillis());
  }

  /** Bytes that are encoded already. */
  public ScriptArguments add(byte[] bytes) {
    encoded.add(bytes);
    return this;
  }

  byte[][] toArray() {
    return encoded.toArray(byte[][]::new);
  }
}
