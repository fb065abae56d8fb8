package dev.lastmile.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class IdentityTokensTest {
  private final IdentityTokens identities = new IdentityTokens("k".repeat(32).getBytes(UTF_8));

  @Test
  void anIssuedCookieNamesAlwaysTheSameChannel() {
    String cookie = identities.issue();
    assertThat(identities.channelOf(cookie)).isPresent();
    assertThat(new IdentityTokens("k".repeat(32).getBytes(UTF_8)).channelOf(cookie))
        .isEqualTo(identities.channelOf(cookie));
  }

  @Test
  void twoCookiesNameTwoChannels() {
    assertThat(identities.channelOf(identities.issue()))
        .isNotEqualTo(identities.channelOf(identities.issue()));
  }

  @Test
  void whatWeDidNotSignTakesNothingFromTheUsersOwn_andOfTwoOfOursNeitherCounts() {
    String mine = identities.issue();
    String forged = new IdentityTokens("x".repeat(32).getBytes(UTF_8)).issue();
    assertThat(identities.channelOf(List.of("evil", mine, forged, mine)))
        .isEqualTo(identities.channelOf(mine));
    assertThat(identities.channelOf(List.of(mine, identities.issue()))).isEmpty();
    assertThat(identities.channelOf(List.of("evil", forged))).isEmpty();
  }

  @Test
  void theChannelDoesNotShowTheIdentity() {
    String cookie = identities.issue();
    String user = List.of(cookie.split("\\.")).get(1);
    assertThat(identities.channelOf(cookie).orElseThrow().value()).doesNotContain(user);
  }

  @Test
  void aCookieThatWeDidNotSignIsNone() {
    String cookie = identities.issue();
    String other = new IdentityTokens("x".repeat(32).getBytes(UTF_8)).issue();
    char flipped = cookie.charAt(5) == 'A' ? 'B' : 'A';
    assertThat(identities.channelOf(other)).isEmpty();
    assertThat(identities.channelOf(cookie.substring(0, 5) + flipped + cookie.substring(6)))
        .isEmpty();
    assertThat(identities.channelOf(cookie + "A")).isEmpty();
    assertThat(identities.channelOf("")).isEmpty();
    assertThat(identities.channelOf("v1..")).isEmpty();
  }
}
