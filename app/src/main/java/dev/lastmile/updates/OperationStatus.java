package dev.lastmile.updates;

/** The status of an operation. A final status never changes. */
public enum OperationStatus {
  /** Created; no report of the external system yet. Not final. */
  PENDING,
  /** The external system is processing it. Not final. */
  RUNNING,
  /** Completed with a result. Final. */
  SUCCEEDED,
  /** Failed; the message states the reason. Final. */
  FAILED;

  public boolean isFinal() {
    return this == SUCCEEDED || this == FAILED;
  }
}
