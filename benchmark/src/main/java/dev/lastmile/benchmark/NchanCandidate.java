package dev.lastmile.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The peer: nginx with nchan, as Debian packages it. Alone, it keeps its channels in shared memory;
 * as a pair, in a Redis.
 */
final class NchanCandidate implements Candidate {
  static final String MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so";

  /** A channel that no stream has. */
  private static final String NOBODYS = "/update/999999999";

  private static final String CONFIGURATION =
      """
      load_module %1$s;
      %2$s
      daemon off;
      worker_processes %3$d;
      worker_rlimit_nofile %4$d;
      error_log stderr warn;
      pid %5$s/nginx.pid;
      events {
        worker_connections %4$d;
      }
      http {
        access_log off;
        client_body_temp_path %5$s;
        proxy_temp_path %5$s;
        fastcgi_temp_path %5$s;
        uwsgi_temp_path %5$s;
        scgi_temp_path %5$s;
        keepalive_requests 100000000;
        nchan_shared_memory_size 1G;
        %6$s
        server {
          # The same queue of connections that wait as the service has; each worker has its own.
          listen 127.0.0.1:%7$d backlog=4096 reuseport;
          location ~ ^/update/([0-9]+)$ {
            nchan_publisher;
            nchan_channel_id $1;
            nchan_message_buffer_length 100;
            nchan_message_timeout 60s;
            %8$s
          }
          location ~ ^/stream/([0-9]+)$ {
            nchan_subscriber eventsource;
            nchan_channel_id $1;
            nchan_subscriber_first_message newest;
            # As often as the service's own heartbeat.
            nchan_eventsource_ping_interval 10;
            %8$s
          }
        }
      }
      """;

  private final Bench bench;
  private final boolean paired;
  private final Path folder;
  private final List<InetSocketAddress> addresses = new ArrayList<>();
  private final Map<String, Launched> parts = new LinkedHashMap<>();

  private NchanCandidate(Bench bench, boolean paired) {
    this.bench = bench;
    this.paired = paired;
    folder = bench.folder("nchan");
  }

  /** One nginx for everything. */
  static NchanCandidate alone(Bench bench) {
    return new NchanCandidate(bench, false);
  }

  /** Updates arrive at A, go through a Redis, and streams are at B. */
  static NchanCandidate pair(Bench bench) {
    return new NchanCandidate(bench, true);
  }

  @Override
  public void start() {
    Redis redis = paired ? new Redis(folder) : null;
    try {
      start(redis);
    } finally {
      if (redis != null) {
        // Last in the table, and before the wait, so that close() ends it if nginx fails.
        parts.put(Usage.REDIS, redis.process());
      }
    }
  }

  private void start(Redis redis) {
    for (int i = 0; i < (paired ? 2 : 1); i++) {
      InetSocketAddress address = Ports.free();
      addresses.add(address);
      String name = ReplicaProcesses.name(i);
      Path own = folder.resolve(name).toAbsolutePath();
      Path file = own.resolve("nginx.conf");
      try {
        Files.createDirectories(own);
        Files.writeString(file, configuration(own, address, redis));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      List<String> command = List.of("nginx", "-p", own.toString(), "-c", file.toString());
      Launched nginx = Launched.start(name, command, Map.of(), folder);
      parts.put(name, nginx);
      nginx.await(() -> takes(address));
    }
  }

  /** A worker refuses streams until it has connected to Redis, so each worker is tried. */
  private boolean takes(InetSocketAddress address) {
    URI update = URI.create("http://127.0.0.1:" + address.getPort() + NOBODYS);
    try {
      for (int i = 0; i < 8 * bench.options().workers(); i++) {
        HttpURLConnection connection = (HttpURLConnection) update.toURL().openConnection();
        connection.setRequestProperty("Connection", "close");
        connection.setDoOutput(true);
        connection.getOutputStream().write('x');
        if (connection.getResponseCode() / 100 != 2) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private String configuration(Path own, InetSocketAddress address, Redis redis) {
    String user = System.getProperty("user.name");
    return CONFIGURATION.formatted(
        MODULE,
        user.equals("root") ? "user root;" : "",
        bench.options().workers(),
        bench.options().streams() + 2_000,
        own,
        redis == null ? "" : "upstream redis { nchan_redis_server " + redis.url() + "; }",
        address.getPort(),
        redis == null ? "" : "nchan_redis_pass redis;");
  }

  @Override
  public void prepare(int channels) {
    // The first subscriber creates a channel.
  }

  @Override
  public Request stream(int channel, int number) {
    return Request.get(
        addresses.getLast(), "/stream/" + channel, List.of("Accept: text/event-stream"));
  }

  @Override
  public Request update(int channel, long instantNanos, int number) {
    return Request.post(
        addresses.getFirst(),
        "/update/" + channel,
        List.of("Content-Type: text/plain"),
        Stamp.text(instantNanos, number, UPDATE_BYTES));
  }

  @Override
  public Map<String, Launched> parts() {
    return parts;
  }

  @Override
  public void close() {
    parts.values().forEach(Launched::close);
  }
}
