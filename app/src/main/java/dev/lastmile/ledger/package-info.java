/**
 * The ledger of deliveries in Redis: leases, presence, expected deliveries, settlement, sweeping
 * and totals.
 *
 * <p>Every delivery that a script expects ends in exactly one outcome. Implements the interfaces
 * {@link dev.lastmile.streams.Presence} and {@link dev.lastmile.streams.DeliveryLedger}.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"redis", "store", "streams", "telemetry", "updates"})
package dev.lastmile.ledger;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
