package dev.lastmile.updates;

/**
 * A value from outside breaks a documented rule. Nothing has been changed.
 *
 * <p>Answered as an RFC 9457 problem with the members {@code field} and {@code limit}.
 */
public final class InvalidValueException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String field;
  private final String limit;

  /**
   * @param field where the value stood, for example {@code acks[3].version} or a header's name
   * @param limit the rule that it breaks, as a phrase after "must be", for example {@code at most
   *     64 characters}
   */
  public InvalidValueException(String field, String limit) {
    super(field + " must be " + limit);
    this.field = field;
    this.limit = limit;
  }

  /** Where the value stood. */
  public String field() {
    return field;
  }

  /** The rule that it breaks. */
  public String limit() {
    return limit;
  }
}
