package dev.lastmile.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import com.standardwebhooks.Webhook;
import org.junit.jupiter.api.Test;

class SignerTest {
  @Test
  void signsAsTheReferenceLibraryDoes() throws Exception {
    Signer signer = new Signer();
    String body = "{\"revision\":1,\"message\":\"ü\"}";
    assertThat(signer.signature("msg_1", 1_764_000_000, body))
        .isEqualTo(new Webhook(signer.secret()).sign("msg_1", 1_764_000_000, body));
  }
}
