package dev.lastmile.testkit.cluster;

import dev.lastmile.testkit.process.Signals;
import dev.lastmile.testkit.process.Tool;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A process of its own with a main class of this build: a replica, or the external system. */
public final class LastmileProcess implements AutoCloseable {
  /** A start takes 5 s; machines on which tests run stand still now and then. */
  private static final Duration READY = Duration.ofMinutes(2);

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final String name;
  private final String mainClass;
  private final int port;
  private final int managementPort;
  private final Path log;
  private final List<String> jvmArguments;
  private final List<String> arguments;
  private final Map<String, String> environment;
  private Process process;

  LastmileProcess(
      String name,
      String mainClass,
      int port,
      int managementPort,
      Path log,
      List<String> jvmArguments,
      List<String> arguments,
      Map<String, String> environment) {
    this.name = name;
    this.mainClass = mainClass;
    this.port = port;
    this.managementPort = managementPort;
    this.log = log;
    this.jvmArguments = List.copyOf(jvmArguments);
    this.arguments = List.copyOf(arguments);
    this.environment = new LinkedHashMap<>(environment);
    this.environment.put("SERVER_PORT", Integer.toString(port));
    this.environment.put("MANAGEMENT_SERVER_PORT", Integer.toString(managementPort));
    this.environment.put("LASTMILE_REPLICA", name);
  }

  /** Starts it; does not wait until it is ready. */
  public LastmileProcess start() {
    List<String> command = new ArrayList<>();
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classPath = classPath();
    command.add(java);
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"));
    command.addAll(jvmArguments);
    if (jvmArguments.stream().noneMatch(argument -> argument.startsWith("-javaagent"))) {
      command.addAll(ClassArchive.options(java, classPath));
    }
    command.add("-cp");
    command.add(classPath);
    command.add(mainClass);
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // A restart goes on in the same file; a new process object begins a new one.
    builder.redirectOutput(
        process == null
            ? ProcessBuilder.Redirect.to(log.toFile())
            : ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Sets a variable of its environment, from its next start on; empty removes it. */
  public void environment(String variable, String value) {
    if (value.isEmpty()) {
      environment.remove(variable);
    } else {
      environment.put(variable, value);
    }
  }

  /**
   * What a replica needs, without the tests themselves; its classes as a jar where there is one.
   */
  private static String classPath() {
    String all =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Path jar = ClassArchive.jar();
    Path classes = Path.of("target", "classes").toAbsolutePath();
    List<String> entries = new ArrayList<>();
    for (String entry : all.split(File.pathSeparator, -1)) {
      Path path = Path.of(entry).toAbsolutePath();
      if (jar != null && path.equals(classes)) {
        entries.add(jar.toString());
      } else if (!path.endsWith("test-classes")) {
        entries.add(entry);
      }
    }
    return String.join(File.pathSeparator, entries);
  }

  /** Waits until its readiness says so; fails with the end of its log if it ended instead. */
  public LastmileProcess awaitReady() {
    Awaitility.await(name + " to be ready (log: " + log + ")")
        .atMost(READY.toSeconds(), TimeUnit.SECONDS)
        .pollInterval(50, TimeUnit.MILLISECONDS)
        .until(() -> {
          if (!process.isAlive()) {
            throw new IllegalStateException(name + " ended at its start:\n" + logEnd());
          }
          return isReady();
        });
    return this;
  }

  public boolean isReady() {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(management().resolve("/actuator/health/readiness"))
              .timeout(Duration.ofSeconds(2))
              .build();
      return HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private String logEnd() {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    } catch (IOException e) {
      return e.toString();
    }
  }

  public String name() {
    return name;
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + port);
  }

  public URI management() {
    return URI.create("http://127.0.0.1:" + managementPort);
  }

  public Path log() {
    return log;
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end; the exit code. */
  public int awaitExit() {
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException(name + " does not end");
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Asks it to stop (SIGTERM). */
  public void stop() {
    process.destroy();
  }

  /** Ends it at once, as a crash does. */
  public void kill() {
    process.destroyForcibly();
    awaitExit();
  }

  /** Sends a signal, for example {@code STOP} or {@code CONT}. */
  public void signal(String signal) {
    Signals.send(process.pid(), signal);
  }

  @Override
  public void close() {
    if (process != null && process.isAlive()) {
      Tool.end(process, Duration.ofSeconds(15));
    }
  }
}
