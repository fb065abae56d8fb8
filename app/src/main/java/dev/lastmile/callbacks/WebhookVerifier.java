package dev.lastmile.callbacks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Checks signatures as Standard Webhooks has them (<a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">specification</a>):
 * HMAC-SHA256 over {@code id.timestamp.body}, base64, in a list of {@code v1,signature}.
 *
 * <p>Ours instead of the reference library, since that one reads the local clock and knows one
 * secret. The tests sign with the library. Thread-safe.
 */
final class WebhookVerifier {
  /** Why a webhook is refused. */
  enum Verdict {
    VALID,
    MISSING_HEADER,
    STALE,
    FORGED
  }

  private static final String PREFIX = "whsec_";
  private static final int MOST_SIGNATURES = 8;

  /** One for each secret, ready to sign; never signs itself, only its clones do. */
  private final List<Mac> macs;

  private final long windowSeconds;

  /**
   * @throws IllegalArgumentException if a secret has not the documented form
   */
  WebhookVerifier(List<String> secrets, Duration window) {
    this.macs = secrets.stream().map(WebhookVerifier::key).map(WebhookVerifier::mac).toList();
    this.windowSeconds = window.toSeconds();
  }

  private static SecretKeySpec key(String secret) {
    try {
      if (secret.startsWith(PREFIX)) {
        byte[] bytes = Base64.getDecoder().decode(secret.substring(PREFIX.length()));
        if (bytes.length >= 24 && bytes.length <= 64) {
          return new SecretKeySpec(bytes, "HmacSHA256");
        }
      }
    } catch (IllegalArgumentException e) {
      // Not base64: said below, without the secret.
    }
    throw new IllegalArgumentException(
        "lastmile.callbacks.secrets (LASTMILE_WEBHOOK_SECRETS): each must be whsec_ and the base64"
            + " of 24 to 64 bytes");
  }

  Verdict verify(Webhook webhook, long nowSeconds) {
    String id = webhook.id();
    String timestamp = webhook.timestamp();
    String signatures = webhook.signature();
    if (id == null || id.isEmpty() || timestamp == null || signatures == null) {
      return Verdict.MISSING_HEADER;
    }
    long sent;
    try {
      sent = Long.parseLong(timestamp);
    } catch (NumberFormatException e) {
      return Verdict.STALE;
    }
    if (sent < nowSeconds - windowSeconds || sent > nowSeconds + windowSeconds) {
      return Verdict.STALE;
    }
    byte[] head = (id + "." + timestamp + ".").getBytes(UTF_8);
    String[] given = signatures.split(" ", MOST_SIGNATURES + 1);
    for (Mac mac : macs) {
      byte[] expected = ("v1," + sign(mac, head, webhook.body())).getBytes(UTF_8);
      for (int i = 0; i < Math.min(given.length, MOST_SIGNATURES); i++) {
        if (MessageDigest.isEqual(expected, given[i].getBytes(UTF_8))) {
          return Verdict.VALID;
        }
      }
    }
    return Verdict.FORGED;
  }

  private static Mac mac(SecretKeySpec key) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return mac;
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException(e);
    }
  }

  /** With a clone: asking for a new one costs more than signing. */
  private static String sign(Mac ready, byte[] head, byte[] body) {
    try {
      Mac mac = (Mac) ready.clone();
      mac.update(head);
      return Base64.getEncoder().encodeToString(mac.doFinal(body));
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }
}
