package dev.lastmile.callbacks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Verifies signatures of <a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
 * Webhooks</a>: HMAC-SHA256 over {@code id.timestamp.body}, base64, in a list of {@code
 * v1,signature}.
 *
 * <p>The reference library is not used, because it reads the local clock and supports one secret
 * only. The tests sign with that library. Any thread.
 */
final class WebhookVerifier {
  /** The result of a verification. */
  enum Verdict {
    VALID,
    MISSING_HEADER,
    STALE,
    FORGED
  }

  private static final String PREFIX = "whsec_";
  private static final int MAX_SIGNATURES = 8;

  /** One prepared {@code Mac} for each secret. Only clones of it sign. */
  private final List<Mac> macs;

  private final long windowSeconds;

  /**
   * @throws IllegalArgumentException if a secret does not have the documented form
   */
  WebhookVerifier(List<String> secrets, Duration window) {
    this.macs = secrets.stream().map(WebhookVerifier::mac).toList();
    this.windowSeconds = window.toSeconds();
  }

  private static Mac mac(String secret) {
    try {
      if (secret.startsWith(PREFIX)) {
        byte[] bytes = Base64.getDecoder().decode(secret.substring(PREFIX.length()));
        if (bytes.length >= 24 && bytes.length <= 64) {
          Mac mac = Mac.getInstance("HmacSHA256");
          mac.init(new SecretKeySpec(bytes, "HmacSHA256"));
          return mac;
        }
      }
    } catch (IllegalArgumentException e) {
      // Not base64: reported below, without the secret.
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
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
    String[] given = signatures.split(" ", MAX_SIGNATURES + 1);
    for (Mac mac : macs) {
      byte[] expected = ("v1," + sign(mac, head, webhook.body())).getBytes(UTF_8);
      for (int i = 0; i < Math.min(given.length, MAX_SIGNATURES); i++) {
        if (MessageDigest.isEqual(expected, given[i].getBytes(UTF_8))) {
          return Verdict.VALID;
        }
      }
    }
    return Verdict.FORGED;
  }

  /** Signs with a clone: {@code Mac.getInstance} costs more than the signature. */
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
