package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * One connection to Redis, to read the ledger (RESP2: <a
 * href="https://redis.io/docs/latest/develop/reference/protocol-spec/">specification</a>). One
 * thread.
 */
final class Resp implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 10_000;

  private final Socket socket;
  private final InputStream in;

  Resp(InetSocketAddress redis) {
    try {
      socket = new Socket();
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.connect(redis, PATIENCE_MILLIS);
      in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @return a {@code String}, a {@code Long}, a {@code List} of answers, or null
   */
  Object call(String... command) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.write(("*" + command.length + "\r\n").getBytes(UTF_8));
      for (String word : command) {
        byte[] content = word.getBytes(UTF_8);
        bytes.write(("$" + content.length + "\r\n").getBytes(UTF_8));
        bytes.write(content);
        bytes.write("\r\n".getBytes(UTF_8));
      }
      socket.getOutputStream().write(bytes.toByteArray());
      return read();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As {@link #call}, where the answer is a list of texts. */
  List<String> texts(String... command) {
    return texts(call(command));
  }

  static List<String> texts(Object answer) {
    return ((List<?>) answer).stream().map(String::valueOf).toList();
  }

  private Object read() throws IOException {
    String line = line();
    String value = line.substring(1);
    return switch (line.charAt(0)) {
      case '+' -> value;
      case '-' -> throw new IllegalStateException("Redis: " + value);
      case ':' -> Long.valueOf(value);
      case '$' -> bulk(Integer.parseInt(value));
      case '*' -> list(Integer.parseInt(value));
      default -> throw new IOException("not RESP2: " + line);
    };
  }

  private String bulk(int length) throws IOException {
    if (length < 0) {
      return null;
    }
    byte[] content = in.readNBytes(length);
    line();
    return new String(content, UTF_8);
  }

  private List<Object> list(int length) throws IOException {
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      all.add(read());
    }
    return all;
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("Redis has closed the connection");
      }
      if (next != '\r') {
        line.write(next);
      }
    }
    return line.toString(UTF_8);
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }
}
