/**
 * The HTTP API for browsers: create, read, list, timeline, acks.
 *
 * <p>Each request is limited to the operations of its identity. Other operations get 404.
 */
@NullMarked
@ApplicationModule(
    allowedDependencies = {"http", "identity", "redis", "store", "telemetry", "updates"})
package dev.lastmile.operations;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
