package dev.lastmile.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lastmile.updates.InvalidValueException;
import dev.lastmile.updates.OperationStatus;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.json.JsonMapper;

class ProgressReportTest {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private static StateChange parse(String body, Charset charset) {
    return ProgressReport.parse(MAPPER, body.getBytes(charset), 1, 10).state();
  }

  private static StateChange parse(String status, String members) {
    return parse(
        "{\"revision\":1,\"status\":\"%s\",%s}".formatted(status, members), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"half \\ud83d\" | half \ufffd",
        "\"\\udc00\\ud83d\" | \ufffd\ufffd",
        "\"whole \\ud83d\\ude00\" | whole \ud83d\ude00",
        "\"exactly 10\" | exactly 10",
        "\"eleven char\" | eleven ch…",
        "\"\\ud83d\\ude00\\ud83d\\ude00 characters\" | \ud83d\ude00\ud83d\ude00 charac…",
        "7 | 7",
        "{\"a\":1} | {\"a\":1}"
      })
  void aMessageIsRepairedOrCut_andNeverAReasonToRefuse(String message, String shown) {
    assertThat(parse("FAILED", "\"message\":" + message).message()).isEqualTo(shown);
  }

  @Test
  void aResultIsRepaired() {
    String result = parse("SUCCEEDED", "\"result\":{\"\\ud800\":[\"x\\udc00\"]}").result();
    assertThat(result).isEqualTo("{\"\ufffd\":[\"x\ufffd\"]}");
  }

  @Test
  void anInvalidProgressIsNoReasonToLoseAnOutcome() {
    assertThat(parse("SUCCEEDED", "\"progress\":\"all\"").progress()).isEqualTo(100);
    assertThat(parse("FAILED", "\"progress\":101").progress()).isNull();
    assertThatThrownBy(() -> parse("RUNNING", "\"progress\":101"))
        .isInstanceOf(InvalidValueException.class)
        .hasMessageContaining("progress");
  }

  @Test
  void anotherEncodingAndUnescapedLineBreaksAreNoReasonToLoseAnOutcome() {
    String body = "{\"revision\":1,\"status\":\"FAILED\",\"message\":\"caf\u00e9\n!\"}";
    StateChange state = parse(body, StandardCharsets.ISO_8859_1);
    assertThat(state.status()).isEqualTo(OperationStatus.FAILED);
    assertThat(state.message()).isEqualTo("caf\ufffd\n!");
    assertThat(parse(body, StandardCharsets.UTF_8).message()).isEqualTo("caf\u00e9\n!");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-8", "UTF-16BE", "UTF-16LE", "UTF-32BE", "UTF-32LE"})
  void everyEncodingOfJsonIsReadAlsoWithAFlaw(String charset) {
    String body = "{\"revision\":1,\"status\":\"FAILED\",\"message\":\"a\nb\"}";
    assertThat(parse(body, Charset.forName(charset)).message()).isEqualTo("a\nb");
    assertThat(parse("\ufeff" + body, Charset.forName(charset)).message()).isEqualTo("a\nb");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[] | body",
        "{ | body",
        "{\"revision\":1} | status",
        "{\"status\":\"FAILED\"} | revision"
      })
  void whatHasNoPlainOutcomeIsRefusedByItsField(String body, String field) {
    assertThatThrownBy(() -> parse(body, StandardCharsets.UTF_8))
        .isInstanceOf(InvalidValueException.class)
        .hasMessageStartingWith(field);
  }

  @Test
  void aPolledJobThatHasNotStartedHasNoReport() {
    byte[] pending = "{\"status\":\"PENDING\"}".getBytes(StandardCharsets.UTF_8);
    assertThat(ProgressReport.parsePolled(MAPPER, pending, 1, 10)).isEmpty();
    byte[] running = "{\"revision\":1,\"status\":\"RUNNING\"}".getBytes(StandardCharsets.UTF_8);
    assertThat(ProgressReport.parsePolled(MAPPER, running, 1, 10)).isPresent();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"revision\":1 | line 1",
        "{\"revision\":1,\"revision\":2} | Duplicate",
        "[] | a JSON object"
      })
  void whatCannotBeReadIsRefusedWithTheReason(String body, String reason) {
    JsonMapper strict =
        JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    assertThatThrownBy(
            () -> ProgressReport.parse(strict, body.getBytes(StandardCharsets.UTF_8), 1, 10))
        .isInstanceOf(InvalidValueException.class)
        .hasMessageContaining(reason);
  }
}
