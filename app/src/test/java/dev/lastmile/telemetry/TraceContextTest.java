package dev.lastmile.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class TraceContextTest {
  private static final String PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  @Test
  void aContextIsTakenAsItCame() {
    TraceContext context = TraceContext.of(PARENT, "vendor=1");

    assertThat(context).isEqualTo(new TraceContext(PARENT, "vendor=1"));
    assertThat(context.traceId()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
    assertThat(context.isSampled()).isTrue();
    assertThat(TraceContext.of(PARENT, null).tracestate()).isEmpty();
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(
      strings = {
        "",
        "00",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-g1",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bg-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e473\\n-00f067aa0ba902b7-01",
      })
  void whatIsNoContextBeginsAnUnsampledTrace(String parent) {
    TraceContext context = TraceContext.of(parent, "vendor=1");

    assertThat(context.traceparent())
        .matches("00-[0-9a-f]{32}-[0-9a-f]{16}-00")
        .isNotEqualTo(parent);
    assertThat(context.tracestate()).isEmpty();
    assertThat(TraceContext.of(context.traceparent(), "")).isEqualTo(context);
  }

  @Test
  void aVendorListThatCouldBreakOutIsLeftOut() {
    assertThat(TraceContext.of(PARENT, "a=1\r\nb").tracestate()).isEmpty();
    assertThat(TraceContext.of(PARENT, "x".repeat(513)).tracestate()).isEmpty();
  }
}
