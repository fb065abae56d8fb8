package dev.lastmile.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file of the tree that is made from another source and checked in for its readers. {@code
 * ./generate} makes all of them anew.
 */
public final class Generated {
  private static final String BEGIN = "<!-- generated: ./generate -->";
  private static final String END = "<!-- end -->";

  private Generated() {}

  /** Compares a whole file. */
  public static void assertFile(Path file, String expected) {
    if (System.getProperty("generate") != null) {
      write(file, expected);
    }
    assertThat(read(file)).as(file + " is out of date: " + BEGIN).isEqualTo(expected);
  }

  /** Compares what stands between the marks of a document. */
  public static void assertPart(Path file, String expected) {
    String text = read(file);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END, begin);
    assertThat(begin >= 0 && end > begin).as(file + " has its marks").isTrue();
    String whole =
        text.substring(0, begin) + BEGIN + "\n" + expected.strip() + "\n" + text.substring(end);
    assertFile(file, whole);
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
