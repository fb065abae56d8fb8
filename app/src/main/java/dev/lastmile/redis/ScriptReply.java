package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;

/** Typed access to the reply of a script; the index counts from 0. */
public record ScriptReply(List<Object> elements) {
  public int size() {
    return elements.size();
  }

  public boolean isEmpty() {
    return elements.isEmpty();
  }

  public String text(int index) {
    return new String(bytes(index), UTF_8);
  }

  public byte[] bytes(int index) {
    return (byte[]) elements.get(index);
  }

  @SuppressWarnings("unchecked") // the type of a nested reply
  public ScriptReply list(int index) {
    return new ScriptReply((List<Object>) elements.get(index));
  }

  public long number(int index) {
    return (Long) elements.get(index);
  }
}
