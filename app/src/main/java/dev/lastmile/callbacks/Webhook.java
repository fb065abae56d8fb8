package dev.lastmile.callbacks;

import org.jspecify.annotations.Nullable;

/**
 * A webhook as it came, of which nothing has been checked (<a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">Standard
 * Webhooks</a>).
 *
 * @param operationId what its address says that it is about
 * @param id {@code webhook-id}
 * @param timestamp {@code webhook-timestamp}, seconds since 1970
 * @param signature {@code webhook-signature}, one or several
 * @param body what is signed
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Webhook(
    String operationId,
    @Nullable String id,
    @Nullable String timestamp,
    @Nullable String signature,
    byte[] body) {}
