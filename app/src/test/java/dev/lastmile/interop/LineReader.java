package dev.lastmile.interop;

import dev.lastmile.interop.Client.Event;
import dev.lastmile.interop.Client.Heard;
import java.io.UncheckedIOException;
import java.util.stream.Stream;

/** Reads events by the rules of the standard, for clients that give lines only. */
final class LineReader {
  private String name = "message";
  private String id = "";
  private final StringBuilder data = new StringBuilder();
  private final Heard heard;

  private LineReader(Heard heard) {
    this.heard = heard;
  }

  static void read(Stream<String> lines, Heard heard) {
    LineReader reader = new LineReader(heard);
    Thread.ofVirtual()
        .start(() -> {
          try {
            lines.forEach(reader::take);
          } catch (UncheckedIOException e) {
            // Cut.
          }
        });
  }

  private void take(String line) {
    if (line.isEmpty()) {
      if (!data.isEmpty()) {
        heard.add(Event.of(name, id, data.toString()));
      }
      name = "message";
      id = "";
      data.setLength(0);
      return;
    }
    String[] field = line.split(": ?", 2);
    switch (field[0]) {
      case "event" -> name = field[1];
      case "id" -> id = field[1];
      case "data" -> data.append(field[1]);
      default -> {}
    }
  }
}
