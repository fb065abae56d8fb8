package dev.lastmile.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;

import dev.lastmile.updates.Channel;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes and checks identity cookies.
 *
 * <p>A cookie is 128 random bits and their HMAC-SHA256, both base64url: {@code
 * v1.<user>.<signature>}. It says nothing about a person, and cannot be made without the key.
 * Thread-safe.
 */
public final class Identities {
  /** Name of the cookie. */
  public static final String COOKIE = "lastmile_identity";

  private static final Pattern FORM =
      Pattern.compile("(v1\\.[A-Za-z0-9_-]{22})\\.([A-Za-z0-9_-]{43})");
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
  private static final SecureRandom RANDOM = new SecureRandom();

  private final SecretKeySpec key;

  /**
   * @param key the signing key, at least 32 bytes
   */
  Identities(byte[] key) {
    this.key = new SecretKeySpec(key, "HmacSHA256");
  }

  /** The value of a cookie for somebody new. */
  String issue() {
    byte[] user = new byte[16];
    RANDOM.nextBytes(user);
    String identity = "v1." + BASE64.encodeToString(user);
    return identity + "." + sign(identity);
  }

  /**
   * The channel of the user that a cookie names; empty if we did not sign it.
   *
   * @param cookie the cookie's value, as it came from outside
   */
  public Optional<Channel> channelOf(String cookie) {
    Matcher matcher = FORM.matcher(cookie);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String identity = matcher.group(1);
    boolean ours =
        MessageDigest.isEqual(sign(identity).getBytes(UTF_8), matcher.group(2).getBytes(UTF_8));
    return ours ? Optional.of(channel(identity)) : Optional.empty();
  }

  /**
   * The channel of a request; empty without a valid cookie, and where it has valid ones of two
   * users.
   *
   * <p>A neighbouring host of the same domain may set a cookie of this name. One that we did not
   * sign says nothing and takes nothing from the user's own. Of two that we signed nobody can tell
   * which is the user's: taking either could show this user's work to whoever set the other.
   *
   * @param cookies the values of all cookies of our name
   */
  public Optional<Channel> channelOf(Collection<String> cookies) {
    Set<Channel> different =
        cookies.stream().map(this::channelOf).flatMap(Optional::stream).collect(toSet());
    return different.size() == 1 ? Optional.of(different.iterator().next()) : Optional.empty();
  }

  /** One-way: a channel stands in keys, messages and logs, and must not become a cookie again. */
  private static Channel channel(String identity) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(("channel:" + identity).getBytes(UTF_8));
      return new Channel(HexFormat.of().formatHex(digest, 0, 16));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private String sign(String identity) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return BASE64.encodeToString(mac.doFinal(identity.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException(e);
    }
  }
}
