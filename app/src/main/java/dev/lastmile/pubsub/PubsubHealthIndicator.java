package dev.lastmile.pubsub;

import dev.lastmile.redis.RedisConnection;
import dev.lastmile.streams.StreamAdmission;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.stereotype.Component;

/**
 * Part of readiness: up after this replica has connected to Redis and subscribed. It stays up when
 * Redis becomes unreachable later. Otherwise every replica would leave the load balancer at once,
 * and browsers would get no problem detail. It is out of service while this replica alone is
 * stalled.
 */
@Component
final class PubsubHealthIndicator extends AbstractHealthIndicator {
  private final RedisConnection redis;
  private final Subscriber subscriber;
  private final StreamAdmission admission;
  private final FanOutSwitch fanOut;
  private volatile boolean started;

  PubsubHealthIndicator(
      RedisConnection redis,
      Subscriber subscriber,
      StreamAdmission admission,
      FanOutSwitch fanOut) {
    this.redis = redis;
    this.subscriber = subscriber;
    this.admission = admission;
    this.fanOut = fanOut;
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    boolean subscribed = !fanOut.publishes() || subscriber.isSubscribed();
    started |= redis.isConnected() && subscribed;
    builder
        .withDetail("redis", redis.isConnected())
        .withDetail("subscribed", subscribed)
        .withDetail("stalled", admission.isRejecting());
    if (started && !admission.isRejecting()) {
      builder.up();
    } else {
      builder.outOfService();
    }
  }
}
