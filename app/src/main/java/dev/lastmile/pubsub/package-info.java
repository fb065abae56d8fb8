/**
 * The subscription of this replica, its self-test, the fan-out mode and the readiness of the
 * replica.
 *
 * <p>{@link dev.lastmile.pubsub.Subscriber} receives what is published to this replica or to all.
 * {@link dev.lastmile.pubsub.SubscriptionMonitor} proves by a canary message that it does.
 */
@NullMarked
@ApplicationModule(
    allowedDependencies = {"ledger", "redis", "store", "streams", "telemetry", "updates"})
package dev.lastmile.pubsub;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
