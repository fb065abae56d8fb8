/**
 * The demonstration, under the profile {@code demo} only: faults that are switched while everything
 * runs, the account of the whole cluster in one answer, and the page that shows both.
 *
 * <p>Any replica takes any request. What the replicas share of it stands in Redis as notices with
 * an end, so a forgotten fault goes by itself. Nothing imports this package, and without the
 * profile nothing of it is there.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"coordination", "identity", "telemetry", "updates"})
package dev.lastmile.demo;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
