package dev.lastmile.store;

/** The result of a change of an operation. Only {@link #STORED} changes the operation. */
public enum ChangeResult {
  /** Stored as the next version and published. */
  STORED,
  /** The revision equals the stored one. */
  DUPLICATE,
  /** The revision is lower than the stored one. */
  STALE,
  /** The operation has its final status. */
  FINAL,
  /** The operation does not exist. */
  UNKNOWN;

  /** The name in metrics, logs and responses. */
  public String wireName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
