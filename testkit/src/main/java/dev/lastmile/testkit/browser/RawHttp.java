package dev.lastmile.testkit.browser;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.testkit.cluster.LastmileProcess;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A connection on which a test says exactly what it wants, as slowly as it wants. */
public final class RawHttp implements AutoCloseable {
  /** An answer; header names are in lower case. */
  public record Answer(int status, Map<String, String> headers, String body) {
    /** A header; null if there is none. */
    public String header(String name) {
      return headers.get(name.toLowerCase(Locale.ROOT));
    }
  }

  private final Socket socket;

  private RawHttp(Socket socket) {
    this.socket = socket;
  }

  /** Connects; an answer must come within 30 s. */
  public static RawHttp connect(LastmileProcess replica) {
    return connect(replica.uri(), 0);
  }

  /**
   * Connects.
   *
   * @param receiveBuffer bytes of the socket's receive buffer; 0 for the system's choice
   */
  public static RawHttp connect(URI replica, int receiveBuffer) {
    try {
      Socket socket = new Socket();
      if (receiveBuffer > 0) {
        socket.setReceiveBufferSize(receiveBuffer);
      }
      socket.connect(new InetSocketAddress(replica.getHost(), replica.getPort()), 5_000);
      socket.setSoTimeout(30_000);
      socket.setTcpNoDelay(true);
      return new RawHttp(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends a text as it is. */
  public RawHttp send(String text) {
    try {
      socket.getOutputStream().write(text.getBytes(ISO_8859_1));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Sends a text again and again until the other side answers or hangs up.
   *
   * @return how long that took, in milliseconds
   */
  public long drip(String drop, long pauseMillis, long mostMillis) {
    long started = System.nanoTime();
    try {
      while (socket.getInputStream().available() == 0) {
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
        if (millis > mostMillis) {
          throw new IllegalStateException("still open after " + millis + " ms");
        }
        socket.getOutputStream().write(drop.getBytes(UTF_8));
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(pauseMillis));
      }
    } catch (IOException e) {
      // It hung up.
    }
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
  }

  /** Reads some bytes; -1 at the end. */
  public int read(int most) {
    try {
      return socket.getInputStream().read(new byte[most]);
    } catch (IOException e) {
      return -1;
    }
  }

  /** Reads up to and with a text. */
  public String readUntil(String mark) {
    StringBuilder read = new StringBuilder();
    try {
      while (read.indexOf(mark) < 0) {
        int b = socket.getInputStream().read();
        if (b < 0) {
          throw new EOFException("ended after: " + read);
        }
        read.append((char) b);
      }
      return read.toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads until the other side ends or resets the connection. */
  public String rest() {
    StringBuilder read = new StringBuilder();
    try {
      for (int b = socket.getInputStream().read(); b >= 0; b = socket.getInputStream().read()) {
        read.append((char) b);
      }
    } catch (SocketTimeoutException e) {
      throw new UncheckedIOException(e);
    } catch (IOException e) {
      // Reset, which is an end too.
    }
    return read.toString();
  }

  /** Reads an answer: to its length, or to the end. */
  public Answer answer() {
    try {
      InputStream in = socket.getInputStream();
      StringBuilder head = new StringBuilder();
      while (head.indexOf("\r\n\r\n") < 0) {
        int b = in.read();
        if (b < 0) {
          throw new EOFException("ended after: " + head);
        }
        head.append((char) b);
      }
      Map<String, String> headers = new TreeMap<>();
      String[] lines = head.toString().strip().split("\r\n", -1);
      for (int i = 1; i < lines.length; i++) {
        String[] pair = lines[i].split(":", 2);
        headers.merge(pair[0].toLowerCase(Locale.ROOT), pair[1].strip(), (a, b) -> a + ", " + b);
      }
      int status = Integer.parseInt(lines[0].split(" ", 3)[1]);
      String body = "";
      if (headers.containsKey("content-length")) {
        body = new String(in.readNBytes(Integer.parseInt(headers.get("content-length"))), UTF_8);
      } else if ("chunked".equals(headers.get("transfer-encoding"))) {
        body = chunks(in);
      } else if ("close".equals(headers.get("connection"))) {
        body = new String(in.readAllBytes(), UTF_8);
      }
      return new Answer(status, headers, body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String chunks(InputStream in) throws IOException {
    StringBuilder body = new StringBuilder();
    while (true) {
      StringBuilder size = new StringBuilder();
      for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
        size.append((char) b);
      }
      int length = Integer.parseInt(size.toString().strip(), 16);
      body.append(new String(in.readNBytes(length), UTF_8));
      in.readNBytes(2);
      if (length == 0) {
        return body.toString();
      }
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
