package dev.lastmile.http;

import org.eclipse.jetty.io.QuietException;

/**
 * An answer has begun and cannot be completed. No handler turns it into a problem detail, so the
 * server closes the connection; it does not log it, because {@link PagedAnswers} has.
 */
public final class AnswerCutException extends QuietException.RuntimeException {
  private static final long serialVersionUID = 1L;

  AnswerCutException(Throwable cause) {
    super(cause);
  }
}
