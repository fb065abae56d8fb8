package dev.lastmile.startup;

import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.validation.BindValidationException;
import org.springframework.boot.context.properties.bind.validation.ValidationErrors;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.validation.FieldError;
import org.springframework.validation.ObjectError;

/**
 * Reports in one sentence, without a stack trace, which {@code lastmile.*} setting, or setting of
 * Redis that this service checks, stopped the start.
 *
 * <p>It runs before Spring's own analyzers, which print the value. A value may be a key, a secret
 * or a URL with a password, and the report goes to the log.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class SettingsFailureAnalyzer implements FailureAnalyzer {
  private static final String PREFIX = "lastmile.";
  private static final String REDIS = "spring.data.redis.";

  @Override
  public @Nullable FailureAnalysis analyze(Throwable failure) {
    String sentence = sentence(failure);
    return sentence == null
        ? null
        : new FailureAnalysis(
            sentence,
            "docs/reference/configuration.md lists every setting with its limits.",
            failure);
  }

  /** The sentence for the innermost cause that has one. */
  private static @Nullable String sentence(Throwable failure) {
    String sentence = null;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String found = null;
      String message = cause.getMessage();
      if (cause instanceof BindValidationException invalid) {
        found = outOfRange(invalid.getValidationErrors());
      } else if (cause instanceof BindException unreadable) {
        found = unreadable(unreadable);
      } else if (message != null && (message.startsWith(PREFIX) || message.startsWith(REDIS))) {
        found = message;
      }
      sentence = found == null ? sentence : found;
    }
    return sentence;
  }

  private static @Nullable String outOfRange(ValidationErrors errors) {
    String prefix = errors.getName() + ".";
    return prefix.startsWith(PREFIX)
        ? errors.getAllErrors().stream()
            .map(error -> prefix + name(error) + " " + error.getDefaultMessage())
            .sorted()
            .collect(Collectors.joining("; "))
        : null;
  }

  private static @Nullable String unreadable(BindException e) {
    String name = e.getName().toString();
    Class<?> type = e.getTarget().getType().resolve(Object.class);
    String values =
        type.isEnum()
            ? ": one of "
                + Stream.of(type.getEnumConstants())
                    .map(value -> value.toString().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .collect(Collectors.joining(", "))
            : "";
    return name.startsWith(PREFIX)
        ? name + " cannot be read as a value of type " + type.getSimpleName() + values
        : null;
  }

  /** The name in kebab case: {@code queue-bytes}, not {@code queueBytes}. */
  private static String name(ObjectError error) {
    String name = error instanceof FieldError field ? field.getField() : error.getObjectName();
    return name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }
}
