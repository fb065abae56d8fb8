package dev.lastmile.pubsub;

import dev.lastmile.store.FanOut;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The way in which updates reach other replicas.
 *
 * @param fanOut {@code directed} publishes each update to the replicas that hold its streams;
 *     {@code broadcast} publishes it to all replicas. {@code local-only} publishes nothing and
 *     shows the failure that results. Replicas with {@code directed} and {@code broadcast} work
 *     together
 */
@ConfigurationProperties("lastmile")
record FanOutProperties(@DefaultValue("directed") FanOut.Mode fanOut) {}
