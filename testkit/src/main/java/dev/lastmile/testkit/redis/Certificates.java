package dev.lastmile.testkit.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.lastmile.testkit.process.Tool;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A private certificate authority and a certificate of it for a server, as PEM files. */
public final class Certificates {
  private static final String PASSWORD = "changeit";

  private final Path folder;
  private final String names;
  private final Path store;

  private Certificates(Path folder, String names) {
    this.folder = folder;
    this.names = names;
    this.store = folder.resolve("keys.p12");
  }

  /**
   * Makes both with the {@code keytool} of this JDK.
   *
   * @param folder an empty folder
   * @param names of the server, as {@code keytool} writes them: {@code ip:127.0.0.1,dns:redis}
   */
  public static Certificates in(Path folder, String names) {
    Certificates made = new Certificates(folder, names);
    made.keytool("-genkeypair", "-alias", "ca", "-dname", "CN=ca", "-ext", "bc:c");
    made.keytool("-exportcert", "-alias", "ca", "-rfc", "-file", made.authority().toString());
    made.issue();
    return made;
  }

  /** Replaces the certificate of the server and its key by new ones of the same authority. */
  public void renew() {
    keytool("-delete", "-alias", "server");
    issue();
  }

  private void issue() {
    keytool("-genkeypair", "-alias", "server", "-dname", "CN=server");
    keytool("-certreq", "-alias", "server", "-file", file("request"));
    keytool(
        "-gencert",
        "-alias",
        "ca",
        "-ext",
        "san=" + names,
        "-rfc",
        "-infile",
        file("request"),
        "-outfile",
        certificate().toString());
    writeKey();
  }

  /** The certificate of the authority, which clients trust. */
  public Path authority() {
    return folder.resolve("ca.crt");
  }

  /** The certificate of the server. */
  public Path certificate() {
    return folder.resolve("server.crt");
  }

  /** The private key of the server. */
  public Path key() {
    return folder.resolve("server.key");
  }

  /** The options of a Redis that speaks only TLS at a port. */
  public String[] redisOptions(int port) {
    return options(port, "--port", "0");
  }

  /** The options of a Redis that speaks TLS at another port, also to its replicas. */
  public String[] alsoTls(int port) {
    return options(port);
  }

  private String[] options(int port, String... first) {
    List<String> options = new ArrayList<>(List.of(first));
    options.addAll(List.of("--tls-port", Integer.toString(port)));
    options.addAll(List.of("--tls-cert-file", certificate().toString()));
    options.addAll(List.of("--tls-key-file", key().toString()));
    options.addAll(List.of("--tls-ca-cert-file", authority().toString()));
    options.addAll(List.of("--tls-auth-clients", "no", "--tls-replication", "yes"));
    return options.toArray(String[]::new);
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private void keytool(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD));
    if (arguments[0].equals("-genkeypair")) {
      command.addAll(List.of("-keyalg", "EC", "-validity", "2"));
    }
    try {
      Tool.run(command);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private void writeKey() {
    try (InputStream in = Files.newInputStream(store)) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(in, PASSWORD.toCharArray());
      byte[] key = keys.getKey("server", PASSWORD.toCharArray()).getEncoded();
      String lines = Base64.getMimeEncoder(64, "\n".getBytes(US_ASCII)).encodeToString(key);
      Files.writeString(
          key(), "-----BEGIN PRIVATE KEY-----\n" + lines + "\n-----END PRIVATE KEY-----\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
