/**
 * Identities: the signed anonymous cookie, the channel that is derived from it, and rate limits.
 *
 * <p>Identities are not stored: every replica with the same key accepts the same cookies. Rate
 * limits count per replica.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"http", "telemetry", "updates"})
package dev.lastmile.identity;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
