package dev.lastmile.streams;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.AbstractConnection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.util.BufferUtil;

/**
 * The socket of a stream: detects a disconnect at once, and replaces Jetty's HTTP connection.
 *
 * <p>Jetty does not read from a socket while a response is in progress. Without this class the
 * second heartbeat would detect a closed tab, since the kernel accepts the first. A stream's
 * request has no body, so readable bytes mean the end of the connection or a protocol violation.
 * Both close the stream.
 *
 * <p>After the response headers are written, HTTP only frames the chunks. Its parser, generator and
 * channel cause most of the cost of an idle stream, and {@link #takeOver} releases them. From then
 * on Jetty's connection statistics count this object instead.
 */
final class StreamSocket extends AbstractConnection.NonBlocking
    implements org.eclipse.jetty.io.Connection.UpgradeTo {
  private final StreamConnection connection;
  private final StreamRegistry registry;
  private boolean nothingUnread = true;

  StreamSocket(
      EndPoint endPoint,
      Connector connector,
      StreamConnection connection,
      StreamRegistry registry) {
    super(endPoint, connector.getExecutor());
    this.connection = connection;
    this.registry = registry;
    connector.getEventListeners().forEach(this::addEventListener);
  }

  /**
   * Replaces HTTP on the socket. From now on only chunks are written to it.
   *
   * @return false if the client sent more bytes after the request; they get no response
   */
  boolean takeOver() {
    getEndPoint().upgrade(this);
    return nothingUnread;
  }

  @Override
  public void onFillable() {
    ByteBuffer bytes = BufferUtil.allocate(16);
    try {
      if (getEndPoint().fill(bytes) == 0) {
        fillInterested();
        return;
      }
    } catch (IOException e) {
      // A reset by the client also closes the stream.
    }
    gone();
  }

  @Override
  public void onFillInterestedFailed(Throwable cause) {
    gone();
  }

  @Override
  public void onUpgradeTo(ByteBuffer bytes) {
    nothingUnread = false;
  }

  private void gone() {
    registry.close(connection, CloseReason.CLIENT_GONE);
  }
}
