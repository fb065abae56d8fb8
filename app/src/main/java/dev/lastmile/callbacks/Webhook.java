package dev.lastmile.callbacks;

import org.jspecify.annotations.Nullable;

/**
 * An unverified webhook (<a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
 * Webhooks</a>).
 *
 * @param operationId the operation id in the URL
 * @param id {@code webhook-id}
 * @param timestamp {@code webhook-timestamp}, seconds since 1970
 * @param signature {@code webhook-signature}, one or several
 * @param body the signed bytes
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Webhook(
    String operationId,
    @Nullable String id,
    @Nullable String timestamp,
    @Nullable String signature,
    byte[] body) {}
