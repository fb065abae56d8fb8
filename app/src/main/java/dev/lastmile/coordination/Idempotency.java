package dev.lastmile.coordination;

/**
 * A caller's promise that two requests with the same key are one.
 *
 * @param keyDigest hexadecimal digest of the key, so that it may stand in a key of Redis
 * @param fingerprint hexadecimal digest of what was asked
 */
public record Idempotency(String keyDigest, String fingerprint) {}
