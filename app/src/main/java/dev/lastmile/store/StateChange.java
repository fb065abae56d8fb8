package dev.lastmile.store;

import dev.lastmile.updates.OperationStatus;
import org.jspecify.annotations.Nullable;

/**
 * The state of one version of an operation.
 *
 * @param progress 0 to 100, or null to keep the stored value
 * @param message text for the user, or null
 * @param result a JSON text without line breaks, or null
 * @param receivedAtMicros Redis time at which this service received it, for the timeline
 */
public record StateChange(
    OperationStatus status,
    @Nullable Integer progress,
    @Nullable String message,
    @Nullable String result,
    long receivedAtMicros) {}
