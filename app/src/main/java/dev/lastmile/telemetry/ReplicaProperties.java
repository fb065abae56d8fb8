package dev.lastmile.telemetry;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Who this process is.
 *
 * @param replica name of this replica, unique among those that share a Redis; empty means the
 *     host's name
 */
@ConfigurationProperties("lastmile")
record ReplicaProperties(@DefaultValue("") String replica) {}
