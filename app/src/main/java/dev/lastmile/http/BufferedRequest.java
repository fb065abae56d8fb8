package dev.lastmile.http;

import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** A request after {@link RequestBodyReader}: its body is in memory, or reading it fails. */
final class BufferedRequest extends Request.Wrapper {
  private Content.@Nullable Chunk next;

  /**
   * @param body the whole body, or a failure
   */
  BufferedRequest(Request wrapped, Content.Chunk body) {
    super(wrapped);
    this.next = body;
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
