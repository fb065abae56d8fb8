package dev.lastmile.benchmark;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Stubs of the systems that replicas call: the external system accepts every job and never calls
 * back; the trace collector accepts and discards.
 */
final class StubServices implements AutoCloseable {
  private static final int ACCEPTED = 202;

  private final InetSocketAddress address = Ports.free();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  StubServices() {
    try {
      server = HttpServer.create(address, 1_024);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", StubServices::accept);
    server.start();
  }

  private static void accept(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      boolean isTraces = exchange.getRequestURI().getPath().startsWith("/v1/");
      exchange.sendResponseHeaders(isTraces ? 200 : ACCEPTED, -1);
    }
  }

  String url() {
    return "http://127.0.0.1:" + address.getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
