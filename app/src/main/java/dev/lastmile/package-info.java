/**
 * The root package: the main class of the service.
 *
 * <p>It may import every other package of the service; none of them imports it. The module {@code
 * demo} starts its replicas with it.
 */
@NullMarked
package dev.lastmile;

import org.jspecify.annotations.NullMarked;
