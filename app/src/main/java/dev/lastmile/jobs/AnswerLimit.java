package dev.lastmile.jobs;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;

/**
 * Fails the read of an answer of the external system that is larger than {@code
 * lastmile.jobs.max-answer}, so that it cannot fill the memory. Any thread.
 *
 * @param bytes the largest answer
 */
record AnswerLimit(int bytes) implements ClientHttpRequestInterceptor {
  @Override
  public ClientHttpResponse intercept(
      HttpRequest request, byte[] body, ClientHttpRequestExecution execution) throws IOException {
    return new Limited(execution.execute(request, body), bytes);
  }

  private record Limited(ClientHttpResponse answer, int bytes) implements ClientHttpResponse {
    @Override
    public InputStream getBody() throws IOException {
      return new LimitedStream(answer.getBody(), bytes);
    }

    @Override
    public HttpStatusCode getStatusCode() throws IOException {
      return answer.getStatusCode();
    }

    @Override
    public String getStatusText() throws IOException {
      return answer.getStatusText();
    }

    @Override
    public HttpHeaders getHeaders() {
      return answer.getHeaders();
    }

    @Override
    public void close() {
      answer.close();
    }
  }

  /** One thread. */
  private static final class LimitedStream extends FilterInputStream {
    private final int limit;
    private long left;

    LimitedStream(InputStream in, int limit) {
      super(in);
      this.limit = limit;
      this.left = limit;
    }

    @Override
    public int read() throws IOException {
      int next = super.read();
      count(next < 0 ? 0 : 1);
      return next;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int read = super.read(target, offset, length);
      count(Math.max(0, read));
      return read;
    }

    @Override
    public boolean markSupported() {
      return false;
    }

    private void count(int read) throws IOException {
      left -= read;
      if (left < 0) {
        throw new IOException("the answer exceeds lastmile.jobs.max-answer, " + limit + " bytes");
      }
    }
  }
}
