package dev.lastmile.coordination;

import dev.lastmile.updates.OperationStatus;
import org.jspecify.annotations.Nullable;

/**
 * What a version of an operation says.
 *
 * @param progress 0 to 100, or null to keep what is stored
 * @param message for a person, or null
 * @param result a JSON text without line breaks, or null
 * @param receivedAtMicros Redis time at which we learnt it, for the timeline
 */
public record NewState(
    OperationStatus status,
    @Nullable Integer progress,
    @Nullable String message,
    @Nullable String result,
    long receivedAtMicros) {}
