/**
 * The HTTP server: the order of its handlers, request bodies, limits, security headers, problem
 * details and the API documents.
 *
 * <p>Handlers run before the servlets and never block. Every error of every endpoint becomes a
 * problem detail (RFC 9457) here. The OpenAPI document is built from the controllers and {@code
 * openapi.yaml}; the AsyncAPI document describes the stream.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {"telemetry", "updates"})
package dev.lastmile.http;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
