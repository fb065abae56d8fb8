package dev.lastmile.connections;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Notices at once that a browser has hung up.
 *
 * <p>While an answer is under way Jetty does not look at the socket's read side, so a closed tab
 * would be found by the second heartbeat after it (the kernel takes the first). A stream's request
 * has no body, so anything that becomes readable is the end, or bytes that have no business here;
 * both end the stream.
 */
final class HangUpWatch implements Callback {
  private final EndPoint endPoint;
  private final Connection connection;
  private final Registry registry;

  HangUpWatch(EndPoint endPoint, Connection connection, Registry registry) {
    this.endPoint = endPoint;
    this.connection = connection;
    this.registry = registry;
  }

  void start() {
    endPoint.tryFillInterested(this);
  }

  @Override
  public void succeeded() {
    ByteBuffer bytes = BufferUtil.allocate(16);
    try {
      if (endPoint.fill(bytes) == 0) {
        start();
        return;
      }
    } catch (IOException e) {
      // Reset by the browser: also an end.
    }
    registry.close(connection, DisconnectReason.CLIENT_GONE);
  }

  @Override
  public void failed(Throwable cause) {
    registry.close(connection, DisconnectReason.CLIENT_GONE);
  }

  @Override
  public InvocationType getInvocationType() {
    return Invocable.InvocationType.NON_BLOCKING;
  }
}
