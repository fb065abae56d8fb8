package dev.lastmile.updates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ValuesTest {
  private static final Channel CHANNEL = new Channel("7" + "a".repeat(31));

  @Test
  void operationIdCarriesThePartitionOfItsChannel() {
    OperationId id = OperationId.random(CHANNEL);
    assertThat(id.partition()).isEqualTo(CHANNEL.partition()).isEqualTo(new Partition(7));
    assertThat(OperationId.parse(id.value())).contains(id);
  }

  @Test
  void twoOperationIdsDiffer() {
    assertThat(OperationId.random(CHANNEL)).isNotEqualTo(OperationId.random(CHANNEL));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "op7-",
        "opg-0123456789abcdef0123456789abcdef",
        "op7-{x}",
        "op7-0123\n4567",
        "op7-0123456789abcdef0123456789abcde",
        "op7-0123456789abcdef0123456789abcdef0",
        "op7-0123456789abcdef0123456789abcdeF",
        "op7-0123456789abcdef0123456789abcde\n",
        "op7-0123456789abcdef0123456789abcde\u0661",
        "op7_0123456789abcdef0123456789abcdef",
        "xp7-0123456789abcdef0123456789abcdef"
      })
  void whatIsNoOperationIdIsNotOne(String text) {
    assertThat(OperationId.parse(text)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"short", "with space 123", "line\nbreak123", "ümlaut-1234"})
  void correlationIdsThatCouldBreakOutAreRefused(String text) {
    assertThatThrownBy(() -> new CorrelationId(text)).isInstanceOf(InvalidValueException.class);
  }
}
