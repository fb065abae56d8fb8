package dev.lastmile.updates;

/**
 * A value in a request breaks a documented rule. Nothing has been changed.
 *
 * <p>The response is a problem detail (RFC 9457, status 400) with the members {@code field} and
 * {@code limit}.
 */
public final class InvalidValueException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String field;
  private final String limit;

  /**
   * @param field the location of the value, for example {@code acks[3].version} or a header's name
   * @param limit the rule as a phrase after "must be", for example {@code at most 64 characters}
   */
  public InvalidValueException(String field, String limit) {
    super(field + " must be " + limit);
    this.field = field;
    this.limit = limit;
  }

  /** The location of the value in the request. */
  public String field() {
    return field;
  }

  /** The rule that the value breaks. */
  public String limit() {
    return limit;
  }
}
