package dev.lastmile.http;

/**
 * The order of the HTTP handlers in front of the servlets: the lowest number is the first. Each
 * handler is a bean with {@code @Order(HandlerOrder....)}. None of them may block.
 *
 * <p>{@link SecurityHeaders} and {@link CookieValidator} run before all of them, {@link
 * VirtualThreadHandoff} and the servlets after them.
 */
public final class HandlerOrder {
  /** The stream endpoint. Streams are not counted by the next handler and have no body. */
  public static final int STREAMS = 100;

  /** Counts the requests that the server waits for when it stops. */
  public static final int REQUEST_COUNT = 200;

  /** Reads request bodies within their limits. */
  public static final int REQUEST_BODIES = 250;

  /** A seam for the demo, which rejects callbacks there. */
  public static final int CALLBACK_FAULTS = 300;

  /** The webhook endpoint. */
  public static final int CALLBACKS = 400;

  private HandlerOrder() {}
}
