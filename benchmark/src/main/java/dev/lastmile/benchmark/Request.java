package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.InetSocketAddress;
import java.util.List;

/**
 * An HTTP/1.1 request as bytes.
 *
 * @param to the server's address
 * @param bytes head and body
 */
record Request(InetSocketAddress to, byte[] bytes) {
  static Request get(InetSocketAddress to, String path, List<String> headers) {
    return new Request(
        to, head("GET", to, path, headers).append("\r\n").toString().getBytes(UTF_8));
  }

  static Request post(InetSocketAddress to, String path, List<String> headers, String body) {
    byte[] content = body.getBytes(UTF_8);
    byte[] head =
        head("POST", to, path, headers)
            .append("Content-Length: ")
            .append(content.length)
            .append("\r\n\r\n")
            .toString()
            .getBytes(US_ASCII);
    byte[] all = new byte[head.length + content.length];
    System.arraycopy(head, 0, all, 0, head.length);
    System.arraycopy(content, 0, all, head.length, content.length);
    return new Request(to, all);
  }

  private static StringBuilder head(
      String method, InetSocketAddress to, String path, List<String> headers) {
    StringBuilder head = new StringBuilder(512);
    head.append(method).append(' ').append(path).append(" HTTP/1.1\r\nHost: ");
    head.append(to.getHostString()).append(':').append(to.getPort()).append("\r\n");
    headers.forEach(header -> head.append(header).append("\r\n"));
    return head;
  }
}
