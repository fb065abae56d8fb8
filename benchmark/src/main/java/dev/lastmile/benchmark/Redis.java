package dev.lastmile.benchmark;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@code redis-server} of our own. It keeps nothing on disk. */
final class Redis implements AutoCloseable {
  private final InetSocketAddress address = Ports.free();
  private final Launched process;

  /** Starts it and waits until it serves. */
  Redis(Path folder) {
    this(folder, "redis", List.of());
  }

  /**
   * As {@link #Redis(Path)}.
   *
   * @param name of its log
   * @param options further options of the server
   */
  Redis(Path folder, String name, List<String> options) {
    List<String> command =
        new ArrayList<>(
            List.of("redis-server", "--port", Integer.toString(address.getPort()), "--bind"));
    command.addAll(List.of("127.0.0.1", "--save", "", "--appendonly", "no", "--dir"));
    command.add(folder.toAbsolutePath().toString());
    command.addAll(options);
    process = Launched.start(name, command, Map.of(), folder);
    process.await(() -> Ports.accepts(address));
  }

  InetSocketAddress address() {
    return address;
  }

  String url() {
    return "redis://127.0.0.1:" + address.getPort();
  }

  Launched process() {
    return process;
  }

  /** A connection of its own, for one thread. */
  Resp connect() {
    return new Resp(address);
  }

  /** A number of {@code INFO}. */
  long info(String field) {
    try (Resp resp = connect()) {
      return String.valueOf(resp.call("INFO"))
          .lines()
          .filter(line -> line.startsWith(field + ":"))
          .mapToLong(line -> Long.parseLong(line.substring(field.length() + 1).strip()))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("INFO has no " + field));
    }
  }

  @Override
  public void close() {
    process.close();
  }
}
