package dev.lastmile.streams;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.CorrelationId;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delta;
import dev.lastmile.updates.OperationId;
import dev.lastmile.updates.Update;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Updates and settings for tests of this package. */
final class TestUpdates {
  static final String EPOCH = "0123456789abcdef";
  static final String TERM = "3f9a2c4b5d6e";
  static final String OTHER_EPOCH = "fedcba9876543210";
  static final Channel CHANNEL = new Channel("0".repeat(32));

  private TestUpdates() {}

  static Update update(String epoch, long sequence) {
    return update(epoch, sequence, "{\"n\":" + sequence);
  }

  /** An update whose frame has more than 5,000 bytes. */
  static Update large(long sequence) {
    return update(EPOCH, sequence, "{\"text\":\"" + "x".repeat(5_000) + '"');
  }

  private static Update update(String epoch, long sequence, String state) {
    return new Update(
        CHANNEL,
        new OperationId("op0-" + "1".repeat(32)),
        new Cursor(epoch, TERM, sequence),
        sequence,
        new CorrelationId("correlation"),
        "",
        "",
        0,
        state.getBytes(UTF_8));
  }

  static Update update(long sequence) {
    return update(EPOCH, sequence);
  }

  static Delta delta(long head, long after, long... sequences) {
    List<Update> updates = Arrays.stream(sequences).mapToObj(TestUpdates::update).toList();
    return delta(EPOCH, head, 0, after, updates, true);
  }

  static Delta delta(
      String epoch, long head, long floor, long after, List<Update> updates, boolean complete) {
    return new Delta(epoch, TERM, Map.of(TERM, head), head, floor, after, updates, complete);
  }

  static Cursor at(long sequence) {
    return new Cursor(EPOCH, TERM, sequence);
  }

  static List<Frame> frames(Delta delta) {
    return SseEncoder.updates(delta);
  }

  /** Memory for streams, of 100 kB. */
  static StreamMemory memory() {
    return new StreamMemory(properties(16, 1_000, 8));
  }

  static StreamProperties properties(int queueFrames, int queueBytes, int heldFrames) {
    return new StreamProperties(
        100,
        10,
        50,
        Duration.ofSeconds(10),
        Duration.ofSeconds(2),
        queueFrames,
        queueBytes,
        100_000,
        Duration.ofSeconds(10),
        65_536,
        heldFrames,
        1,
        100,
        1_000_000,
        2,
        Duration.ofMillis(50),
        Duration.ofMillis(500),
        Duration.ofSeconds(6),
        1_000,
        Duration.ofSeconds(30),
        100);
  }
}
