package dev.lastmile;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** A request as those see it who are behind {@link Bodies}: its body is here, or not to be had. */
final class ReadRequest extends Request.Wrapper {
  private Content.@Nullable Chunk next;

  private ReadRequest(Request wrapped, Content.Chunk first) {
    super(wrapped);
    this.next = first;
  }

  /** With its whole body. */
  static ReadRequest withBody(Request request, byte[] body) {
    return new ReadRequest(request, Content.Chunk.from(ByteBuffer.wrap(body), true));
  }

  /** Whoever would read its body all the same, without a limit, fails. */
  static ReadRequest withoutBody(Request request) {
    return new ReadRequest(request, Content.Chunk.from(new IOException("only JSON is read")));
  }

  @Override
  public Content.@Nullable Chunk read() {
    Content.Chunk chunk = next;
    next = Content.Chunk.next(chunk);
    return chunk;
  }

  @Override
  public void demand(Runnable demandCallback) {
    demandCallback.run();
  }

  @Override
  public void fail(Throwable failure) {
    next = Content.Chunk.from(failure);
  }
}
