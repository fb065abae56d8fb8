package dev.lastmile.coordination;

/** How an attempt to change an operation ended; all but the first left it as it was. */
public enum Change {
  /** Stored as the next version and published. */
  STORED,
  /** The revision is the stored one. */
  DUPLICATE,
  /** The revision is below the stored one. */
  STALE,
  /** The operation has its final status. */
  FINAL,
  /** There is no such operation. */
  UNKNOWN;

  /** The name in metrics, logs and answers. */
  public String wireName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
