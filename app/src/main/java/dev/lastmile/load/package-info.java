/**
 * The load generator: the same jar under the profile {@code load}.
 *
 * <p>Browsers' worth of clients that behave as the page does: each has an identity, holds a stream,
 * reconciles and acks. Operations are created for them at a steady rate. What they show is compared
 * with authoritative state, and can be asked for over HTTP. It knows the service by its HTTP
 * surface alone: nothing else imports it, and it imports nothing of ours.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.lastmile.load;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
