package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs callbacks as Standard Webhooks has them (<a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">specification</a>):
 * HMAC-SHA256 over {@code id.timestamp.body}. Any thread.
 */
final class Signer {
  private static final String PREFIX = "whsec_";
  private static final int SECRET_BYTES = 32;

  private final String secret;
  private final SecretKeySpec key;
  private final AtomicLong ids = new AtomicLong();

  /** With a secret of its own. */
  Signer() {
    this(PREFIX + random(SECRET_BYTES));
  }

  Signer(String secret) {
    this.secret = secret;
    byte[] bytes = Base64.getDecoder().decode(secret.substring(PREFIX.length()));
    key = new SecretKeySpec(bytes, "HmacSHA256");
  }

  /** So many random bytes, in base64. */
  static String random(int bytes) {
    byte[] random = new byte[bytes];
    new SecureRandom().nextBytes(random);
    return Base64.getEncoder().encodeToString(random);
  }

  /** As the service wants it in its settings. */
  String secret() {
    return secret;
  }

  /** The headers of a callback with this body, sent now. */
  List<String> headers(String body) {
    String id = "msg_" + ids.incrementAndGet();
    long seconds = System.currentTimeMillis() / 1_000;
    return List.of(
        "webhook-id: " + id,
        "webhook-timestamp: " + seconds,
        "webhook-signature: " + signature(id, seconds, body));
  }

  String signature(String id, long seconds, String body) {
    byte[] hash = hash(key, id + "." + seconds + "." + body);
    return "v1," + Base64.getEncoder().encodeToString(hash);
  }

  /** HMAC-SHA256. */
  static byte[] hash(SecretKeySpec key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return mac.doFinal(text.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
