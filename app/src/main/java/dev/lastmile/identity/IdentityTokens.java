package dev.lastmile.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;

import dev.lastmile.http.RequestProblem;
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
import org.springframework.http.HttpStatus;

/**
 * Issues and verifies the values of identity cookies.
 *
 * <p>A cookie contains 128 random bits and their HMAC-SHA256, both base64url: {@code
 * v1.<user>.<signature>}. It contains no personal data and cannot be forged without the key. Any
 * thread.
 */
public final class IdentityTokens {
  /** The name of the cookie. */
  public static final String COOKIE = "lastmile_identity";

  private static final Pattern FORM =
      Pattern.compile("(v1\\.[A-Za-z0-9_-]{22})\\.([A-Za-z0-9_-]{43})");
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
  private static final SecureRandom RANDOM = new SecureRandom();

  private final SecretKeySpec key;

  /**
   * @param key the signing key, at least 32 bytes
   */
  IdentityTokens(byte[] key) {
    this.key = new SecretKeySpec(key, "HmacSHA256");
  }

  /** The cookie value of a new identity. */
  String issue() {
    byte[] user = new byte[16];
    RANDOM.nextBytes(user);
    String identity = "v1." + BASE64.encodeToString(user);
    return identity + "." + sign(identity);
  }

  /**
   * The channel of the cookie's user; empty if the signature is not valid.
   *
   * @param cookie the cookie's value, unchecked
   */
  public Optional<Channel> channelOf(String cookie) {
    Matcher matcher = FORM.matcher(cookie);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String identity = matcher.group(1);
    boolean isSigned =
        MessageDigest.isEqual(sign(identity).getBytes(UTF_8), matcher.group(2).getBytes(UTF_8));
    return isSigned ? Optional.of(channel(identity)) : Optional.empty();
  }

  /**
   * The channel of a request; empty without a valid cookie, and if valid cookies name two users.
   *
   * <p>A host of the same domain can set a cookie of this name. A cookie with an invalid signature
   * is ignored and does not affect the user's own. With two valid cookies it is unknown which one
   * belongs to the user. Using the wrong one could show the user's operations to the user of the
   * other cookie.
   *
   * @param cookies the values of all cookies of this name
   */
  public Optional<Channel> channelOf(Collection<String> cookies) {
    Set<Channel> different =
        cookies.stream().map(this::channelOf).flatMap(Optional::stream).collect(toSet());
    return different.size() == 1 ? Optional.of(different.iterator().next()) : Optional.empty();
  }

  /** 401: the request has no valid identity cookie, or cookies of two identities. */
  public static RequestProblem unauthorized() {
    return new RequestProblem(
        HttpStatus.UNAUTHORIZED, "no valid identity cookie; POST /api/identity sets one");
  }

  /**
   * One-way, because channels appear in keys, messages and logs and must not lead back to a cookie.
   */
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
