package dev.lastmile.benchmark;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A {@code redis-server} of our own. It keeps nothing, for whomever it serves. */
final class Redis implements AutoCloseable {
  private final InetSocketAddress address = Ports.free();
  private final Launched process;

  /** Starts it and waits until it serves. */
  Redis(Path folder) {
    process =
        Launched.start(
            "redis",
            List.of(
                "redis-server",
                "--port",
                Integer.toString(address.getPort()),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                folder.toAbsolutePath().toString()),
            Map.of(),
            folder);
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

  @Override
  public void close() {
    process.close();
  }
}
