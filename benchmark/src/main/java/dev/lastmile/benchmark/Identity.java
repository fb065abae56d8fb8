package dev.lastmile.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.Base64;
import javax.crypto.spec.SecretKeySpec;

/**
 * A user of the service. The cookie is made here with the service's own key, because requesting ten
 * thousand identities is not part of the measurement.
 *
 * @param cookie the header that identifies the user
 */
record Identity(String cookie) {
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
  private static final int BYTES = 16;

  /**
   * The user of this number.
   *
   * @param key {@code LASTMILE_IDENTITY_KEY}
   */
  static Identity of(int number, String key) {
    byte[] user = ByteBuffer.allocate(BYTES).putInt(number).array();
    String name = "v1." + BASE64.encodeToString(user);
    byte[] hash = Signer.hash(new SecretKeySpec(key.getBytes(UTF_8), "HmacSHA256"), name);
    return new Identity("Cookie: lastmile_identity=" + name + "." + BASE64.encodeToString(hash));
  }
}
