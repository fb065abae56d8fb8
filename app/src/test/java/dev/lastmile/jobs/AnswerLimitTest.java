package dev.lastmile.jobs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.mock.http.client.MockClientHttpRequest;
import org.springframework.mock.http.client.MockClientHttpResponse;

class AnswerLimitTest {
  private static final int LIMIT = 10;

  private static InputStream answer(int bytes) throws IOException {
    byte[] body = "x".repeat(bytes).getBytes(US_ASCII);
    return new AnswerLimit(LIMIT)
        .intercept(
            new MockClientHttpRequest(HttpMethod.GET, URI.create("/")),
            new byte[0],
            (_, _) -> new MockClientHttpResponse(body, HttpStatus.OK))
        .getBody();
  }

  @Test
  void anAnswerUpToTheLimitIsRead() throws IOException {
    try (InputStream in = answer(LIMIT)) {
      assertThat(in.readAllBytes()).hasSize(LIMIT);
    }
  }

  @Test
  void aLargerAnswerFails_howeverItIsRead() throws IOException {
    try (InputStream in = answer(LIMIT + 1)) {
      assertThatIOException()
          .isThrownBy(in::readAllBytes)
          .withMessageContaining("lastmile.jobs.max-answer");
    }
    try (InputStream in = answer(LIMIT + 1)) {
      for (int i = 0; i < LIMIT; i++) {
        assertThat(in.read()).isEqualTo('x');
      }
      assertThatIOException().isThrownBy(in::read);
    }
  }
}
