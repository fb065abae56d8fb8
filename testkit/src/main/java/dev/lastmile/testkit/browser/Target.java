package dev.lastmile.testkit.browser;

import java.net.URI;

/**
 * Where browsers send their requests: a replica, or a load balancer.
 *
 * @param name for messages
 * @param uri base address
 */
public record Target(String name, URI uri) {}
