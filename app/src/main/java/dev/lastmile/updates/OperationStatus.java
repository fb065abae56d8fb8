package dev.lastmile.updates;

/** How far an operation is. A final status never changes again. */
public enum OperationStatus {
  /** Created; the external system has not reported yet. */
  PENDING,
  /** The external system works on it. */
  RUNNING,
  /** Done; the result is there. */
  SUCCEEDED,
  /** Given up; the message says why. */
  FAILED
}
