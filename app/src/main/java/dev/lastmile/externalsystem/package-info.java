/**
 * The simulated external system: the same jar under the profile {@code external-system}.
 *
 * <p>It accepts jobs, works on them for a random time, and reports by signed webhooks, with
 * retries. It can be told to report badly. Nothing else imports it, and it imports nothing of ours.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.lastmile.externalsystem;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
