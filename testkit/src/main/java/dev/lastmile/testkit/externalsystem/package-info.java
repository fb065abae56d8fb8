/**
 * The simulated external system, a process of its own ({@link
 * dev.lastmile.testkit.externalsystem.ExternalSystem}).
 *
 * <p>It accepts jobs, works on them for a random time, and reports by signed webhooks, with
 * retries. It can be told to report badly.
 */
@NullMarked
package dev.lastmile.testkit.externalsystem;

import org.jspecify.annotations.NullMarked;
