package dev.lastmile.telemetry;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The identity of this process.
 *
 * @param replica name of this replica, unique among the replicas that share a Redis; empty for the
 *     container's name in a compose project, else the host name
 */
@ConfigurationProperties("lastmile")
record ReplicaProperties(@DefaultValue("") String replica) {}
