package dev.lastmile.telemetry;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Hashtable;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.naming.Context;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;
import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;

/**
 * Names a replica without a configured name. It runs before the log is set up, so that every line
 * has the name.
 *
 * <p>In a compose project the name is that of the container without the project name, for example
 * {@code app-3}. The DNS server of Docker returns it for the address of the container. Elsewhere
 * the name is the host name.
 */
final class ReplicaName implements EnvironmentPostProcessor {
  private static final String PROPERTY = "lastmile.replica";
  private static final Pattern COMPOSE =
      Pattern.compile("(?<project>[^.]+)-(?<name>[^.]+-\\d+)\\.\\k<project>_.+");

  @Override
  public void postProcessEnvironment(
      ConfigurableEnvironment environment, SpringApplication application) {
    if (environment.getProperty(PROPERTY, "").isBlank()) {
      environment
          .getPropertySources()
          .addFirst(new MapPropertySource("replicaName", Map.of(PROPERTY, own())));
    }
  }

  private static String own() {
    try {
      InetAddress address = InetAddress.getLocalHost();
      return of(address.getHostName(), inDns(address));
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  /** Queries DNS directly, because the resolver of the JDK reads /etc/hosts first. */
  // The queried name is built here and a PTR record is only text; JNDI requires a Hashtable.
  @SuppressWarnings({"BanJNDI", "JdkObsolete"})
  private static String inDns(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (bytes.length != 4 || address.isLoopbackAddress()) {
      return "";
    }
    StringBuilder name = new StringBuilder("in-addr.arpa");
    for (byte part : bytes) {
      name.insert(0, (part & 0xff) + ".");
    }
    Hashtable<String, String> settings = new Hashtable<>();
    settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
    settings.put("com.sun.jndi.dns.timeout.initial", "1000");
    settings.put("com.sun.jndi.dns.timeout.retries", "2");
    try {
      DirContext dns = new InitialDirContext(settings);
      try {
        Attribute pointer = dns.getAttributes(name.toString(), new String[] {"PTR"}).get("PTR");
        return pointer == null ? "" : pointer.get().toString().replaceFirst("\\.$", "");
      } finally {
        dns.close();
      }
    } catch (NamingException e) {
      // No record: the host name is used.
      return "";
    }
  }

  /**
   * Derives the name of the replica.
   *
   * @param host name of this host
   * @param canonical name that DNS returns for its address: {@code
   *     <project>-<service>-<number>.<project>_<network>} in a compose project
   */
  static String of(String host, String canonical) {
    Matcher compose = COMPOSE.matcher(canonical);
    return compose.matches() ? compose.group("name") : host;
  }
}
