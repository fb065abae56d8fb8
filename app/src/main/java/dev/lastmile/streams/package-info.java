/**
 * The SSE endpoint and the streams of one replica, with the updates that wait for them.
 *
 * <p>An envelope enters at {@link dev.lastmile.streams.Dispatcher#receive}. It is offered to every
 * stream of its channel and leaves through one non-blocking write per stream. Each stream has a
 * position: the highest sequence that its send queue has taken. An update that does not follow the
 * position causes a read of the stored state.
 *
 * <p>{@link dev.lastmile.streams.PendingDeliveries} keeps each expected delivery until it is
 * flushed, or until its client counts as gone or slow. {@link dev.lastmile.streams.Drain} stops the
 * replica without losing an update.
 *
 * <p>Other packages implement the interfaces {@link dev.lastmile.streams.Dispatcher.StateReader},
 * {@link dev.lastmile.streams.Presence} and {@link dev.lastmile.streams.DeliveryLedger}.
 *
 * <p>Locks: each stream has one lock. It is held for a few instructions, and never while another
 * component is called. The registry locks an entry of its map to copy an array, or to send a
 * withdrawal without waiting.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"http", "identity", "telemetry", "updates"})
package dev.lastmile.streams;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
