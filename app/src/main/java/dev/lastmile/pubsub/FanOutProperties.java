package dev.lastmile.pubsub;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The way in which updates reach other replicas.
 *
 * @param fanOut {@code broadcast} publishes each update to all replicas; {@code local-only}
 *     publishes nothing and shows the failure that results
 */
@ConfigurationProperties("lastmile")
record FanOutProperties(@DefaultValue("broadcast") FanOutMode fanOut) {}
