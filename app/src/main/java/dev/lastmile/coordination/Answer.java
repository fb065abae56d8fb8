package dev.lastmile.coordination;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;

/** Typed access to what a script returned; the index counts from 0. */
record Answer(List<Object> elements) {
  int size() {
    return elements.size();
  }

  boolean isEmpty() {
    return elements.isEmpty();
  }

  String text(int index) {
    return new String(bytes(index), UTF_8);
  }

  byte[] bytes(int index) {
    return (byte[]) elements.get(index);
  }

  @SuppressWarnings("unchecked") // what a script returns
  Answer list(int index) {
    return new Answer((List<Object>) elements.get(index));
  }

  long number(int index) {
    return (Long) elements.get(index);
  }
}
