package dev.lastmile.connections;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.AbstractConnection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.util.BufferUtil;

/**
 * A stream's socket: notices at once that the browser has hung up, and takes HTTP's place when the
 * answer has begun.
 *
 * <p>Jetty does not look at a socket's read side while an answer is under way, so a closed tab
 * would be found by the second heartbeat after it (the kernel takes the first). A stream's request
 * has no body, so anything that becomes readable is the end, or bytes that have no business here;
 * both end the stream.
 *
 * <p>Once the head of an answer in chunks is written, all that HTTP has left to do is to number
 * bytes and pass them on. Its parser, generator and channel are most of what an idle stream costs;
 * {@link #takeOver} lets them go. Jetty counts this connection from then on, where it counted
 * theirs.
 */
final class StreamSocket extends AbstractConnection.NonBlocking
    implements org.eclipse.jetty.io.Connection.UpgradeTo {
  private final Connection connection;
  private final Registry registry;
  private boolean alone = true;

  StreamSocket(EndPoint endPoint, Connector connector, Connection connection, Registry registry) {
    super(endPoint, connector.getExecutor());
    this.connection = connection;
    this.registry = registry;
    connector.getEventListeners().forEach(this::addEventListener);
  }

  /** Begins to look whether the browser hangs up. */
  void watch() {
    fillInterested();
  }

  /**
   * Takes the socket from HTTP. From now on only chunks go to it.
   *
   * @return false if there was more behind the request, which nobody will answer
   */
  boolean takeOver() {
    getEndPoint().upgrade(this);
    return alone;
  }

  @Override
  public void onFillable() {
    ByteBuffer bytes = BufferUtil.allocate(16);
    try {
      if (getEndPoint().fill(bytes) == 0) {
        watch();
        return;
      }
    } catch (IOException e) {
      // Reset by the browser: also an end.
    }
    gone();
  }

  @Override
  public void onFillInterestedFailed(Throwable cause) {
    gone();
  }

  @Override
  public void onUpgradeTo(ByteBuffer bytes) {
    alone = false;
  }

  private void gone() {
    registry.close(connection, DisconnectReason.CLIENT_GONE);
  }
}
