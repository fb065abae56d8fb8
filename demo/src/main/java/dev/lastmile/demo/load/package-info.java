/**
 * The load generator, a process of its own ({@link dev.lastmile.demo.load.LoadGenerator}).
 *
 * <p>Its clients behave as the page does: each has an identity, holds a stream, reconciles and
 * sends acks. Operations are created for them at a constant rate. An HTTP endpoint compares their
 * pages with the authoritative state. The load generator uses only the HTTP API of the service.
 */
@NullMarked
package dev.lastmile.demo.load;

import org.jspecify.annotations.NullMarked;
