package dev.lastmile;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;

/** Says in one sentence, without a stack, which of our settings stopped the start. */
final class SettingsFailureAnalyzer implements FailureAnalyzer {
  @Override
  public @Nullable FailureAnalysis analyze(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = cause.getMessage();
      if (message != null && message.startsWith("lastmile.")) {
        return new FailureAnalysis(
            message, "Settings are documented where they are declared: *Properties.java.", failure);
      }
    }
    return null;
  }
}
