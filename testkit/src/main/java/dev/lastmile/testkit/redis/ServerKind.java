package dev.lastmile.testkit.redis;

import dev.lastmile.testkit.redis.RedisServer.RedisProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Which servers a test has, and how the service connects to them. */
public final class ServerKind {
  private final Path program;
  private final Certificates certificates;
  private final Path acl;
  private final String password;

  private ServerKind(Path program, Certificates certificates, Path acl, String password) {
    this.program = program;
    this.certificates = certificates;
    this.acl = acl;
    this.password = password;
  }

  /** Redis without TLS and passwords. */
  public static ServerKind redis() {
    return new ServerKind(null, null, null, null);
  }

  /** Another server, for example Valkey, without TLS and passwords. */
  public static ServerKind of(Path program) {
    return new ServerKind(program, null, null, null);
  }

  /**
   * Redis with TLS by a private authority. The service logs in as the user {@code lastmile}.
   *
   * @param folder an empty folder
   * @param acl lines of an ACL file that define the user, with this password
   */
  public static ServerKind secured(Path folder, String acl, String password) {
    Path file = folder.resolve("users.acl");
    try {
      Files.writeString(file, acl + "\nuser default on nopass ~* &* +@all\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Certificates certificates = Certificates.in(folder, "ip:127.0.0.1,ip:127.0.0.2");
    return new ServerKind(null, certificates, file, password);
  }

  /** Whether the service uses TLS and logs in. */
  boolean isSecured() {
    return certificates != null;
  }

  /** Null without TLS. */
  Certificates certificates() {
    return certificates;
  }

  /** Makes a server one of this kind. With TLS, its port for it is another one. */
  void apply(RedisProcess server, int tlsPort) {
    if (program != null) {
      server.of(program);
    }
    if (isSecured()) {
      server.with(certificates.alsoTls(tlsPort)).with("--aclfile", acl.toString());
    }
  }

  /** The user as which the service logs in. */
  String user() {
    return isSecured() ? "lastmile" : "default";
  }

  /** The settings with which the service uses TLS and logs in; empty if it does neither. */
  Map<String, Object> settings() {
    return isSecured()
        ? Map.of(
            "spring.data.redis.username",
            user(),
            "spring.data.redis.password",
            password,
            "spring.data.redis.ssl.bundle",
            "redis",
            "spring.ssl.bundle.pem.redis.truststore.certificate",
            "file:" + certificates.authority())
        : Map.of();
  }
}
