/**
 * Everything that one replica holds: its streams, and what is on its way to them.
 *
 * <p>An envelope enters at {@link dev.lastmile.connections.Dispatcher#receive}, is handed to every
 * connection of its channel, and leaves through one non-blocking write per connection. A connection
 * has a position, the highest sequence given to its send queue; whatever does not follow that
 * position is put right by a read of state, never by guessing.
 *
 * <p>What is expected of this replica is remembered in {@link
 * dev.lastmile.connections.Expectations} until it is flushed, or its client is found gone or slow.
 * {@link dev.lastmile.connections.Drain} ends it all without anybody missing anything.
 *
 * <p>What is needed of the other packages is asked for through the ports {@link
 * dev.lastmile.connections.DeltaReads}, {@link dev.lastmile.connections.Presence} and {@link
 * dev.lastmile.connections.Deliveries}. Locks: each connection has one, held for a few instructions
 * and never while calling out; besides that only the registry's map locks, to copy an array.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"identity", "telemetry", "updates"})
package dev.lastmile.connections;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
