package dev.lastmile.callbacks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.standardwebhooks.Webhook;
import dev.lastmile.callbacks.WebhookVerifier.Verdict;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The reference library signs; we verify. */
class WebhookVerifierTest {
  private static final String OLD = secret("old");
  private static final String NEW = secret("new");
  private static final long NOW = 1_700_000_000;
  private static final String BODY = "{\"revision\":1}";

  private final WebhookVerifier verifier =
      new WebhookVerifier(List.of(NEW, OLD), Duration.ofMinutes(5));

  private static String secret(String name) {
    return "whsec_" + Base64.getEncoder().encodeToString((name + "-".repeat(29)).getBytes(UTF_8));
  }

  private static String sign(String secret, long timestamp) throws Exception {
    return new Webhook(secret).sign("msg_1", timestamp, BODY);
  }

  private Verdict verify(String id, String timestamp, String signature, String body) {
    return verifier.verify(
        new dev.lastmile.callbacks.Webhook("op", id, timestamp, signature, body.getBytes(UTF_8)),
        NOW);
  }

  @Test
  void bothSecretsAreAccepted() throws Exception {
    assertThat(verify("msg_1", "" + NOW, sign(NEW, NOW), BODY)).isEqualTo(Verdict.VALID);
    assertThat(verify("msg_1", "" + NOW, sign(OLD, NOW), BODY)).isEqualTo(Verdict.VALID);
  }

  @Test
  void oneOfSeveralSignaturesIsEnough() throws Exception {
    String signatures = "v1a,ed25519 v1,AAAA " + sign(OLD, NOW);
    assertThat(verify("msg_1", "" + NOW, signatures, BODY)).isEqualTo(Verdict.VALID);
  }

  @Test
  void anotherSecretBodyIdOrTimeIsForged() throws Exception {
    String good = sign(NEW, NOW);
    assertThat(verify("msg_1", "" + NOW, sign(secret("foe"), NOW), BODY)).isEqualTo(Verdict.FORGED);
    assertThat(verify("msg_1", "" + NOW, good, BODY + " ")).isEqualTo(Verdict.FORGED);
    assertThat(verify("msg_2", "" + NOW, good, BODY)).isEqualTo(Verdict.FORGED);
    assertThat(verify("msg_1", "" + (NOW + 1), good, BODY)).isEqualTo(Verdict.FORGED);
    assertThat(verify("msg_1", "" + NOW, "", BODY)).isEqualTo(Verdict.FORGED);
  }

  @Test
  void theWindowIsFiveMinutesEitherWay() throws Exception {
    for (long at : new long[] {NOW - 300, NOW + 300}) {
      assertThat(verify("msg_1", "" + at, sign(NEW, at), BODY)).isEqualTo(Verdict.VALID);
    }
    for (long at : new long[] {NOW - 301, NOW + 301}) {
      assertThat(verify("msg_1", "" + at, sign(NEW, at), BODY)).isEqualTo(Verdict.STALE);
    }
    assertThat(verify("msg_1", "yesterday", sign(NEW, NOW), BODY)).isEqualTo(Verdict.STALE);
  }

  @Test
  void aMissingHeaderIsSaid() throws Exception {
    assertThat(verify(null, "" + NOW, sign(NEW, NOW), BODY)).isEqualTo(Verdict.MISSING_HEADER);
    assertThat(verify("msg_1", null, sign(NEW, NOW), BODY)).isEqualTo(Verdict.MISSING_HEADER);
    assertThat(verify("msg_1", "" + NOW, null, BODY)).isEqualTo(Verdict.MISSING_HEADER);
  }

  @Test
  void aSecretOfAnotherFormStopsTheStartWithoutBeingShown() {
    for (String secret : List.of("topsecret", "whsec_!!", "whsec_dG9vc2hvcnQ=")) {
      assertThatThrownBy(() -> new WebhookVerifier(List.of(secret), Duration.ofMinutes(5)))
          .hasMessageContaining("lastmile.callbacks.secrets")
          .hasMessageNotContaining(secret);
    }
  }
}
