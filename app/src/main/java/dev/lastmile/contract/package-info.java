/**
 * What others program against: the OpenAPI document of the HTTP surface and the AsyncAPI document
 * of the stream, both served.
 *
 * <p>Paths, parameters and statuses of the OpenAPI document come from the controllers; schemas,
 * answers, examples, and what has no controller, from {@code openapi.yaml}. Imports nothing of
 * ours.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.lastmile.contract;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
