package dev.lastmile.pubsub;

import dev.lastmile.ledger.Leases;
import dev.lastmile.redis.RedisConnection;
import dev.lastmile.redis.RedisErrors;
import dev.lastmile.streams.StreamAdmission;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.stereotype.Component;

/**
 * Part of readiness, in place of Spring Boot's indicator of the same name: up after Redis has
 * stored a write of this replica and this replica has subscribed, at each primary that can be used.
 * It stays up when Redis fails later. Otherwise every replica would leave the load balancer at
 * once, and browsers would get no problem detail. It is out of service while this replica alone is
 * stalled.
 */
@Component
final class RedisHealthIndicator extends AbstractHealthIndicator {
  private final RedisConnection redis;
  private final RedisErrors errors;
  private final Leases leases;
  private final Subscriber subscriber;
  private final StreamAdmission admission;
  private final FanOutSwitch fanOut;
  private volatile boolean started;

  RedisHealthIndicator(
      RedisConnection redis,
      RedisErrors errors,
      Leases leases,
      Subscriber subscriber,
      StreamAdmission admission,
      FanOutSwitch fanOut) {
    this.redis = redis;
    this.errors = errors;
    this.leases = leases;
    this.subscriber = subscriber;
    this.admission = admission;
    this.fanOut = fanOut;
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    boolean subscribed = !fanOut.publishes() || subscriber.isSubscribed();
    // In some partition: the primary of others may be away, or their slots may be moving.
    started |= leases.holdsAny() && subscribed;
    builder
        .withDetail("connected", redis.isConnected())
        .withDetail("state", errors.state())
        .withDetail("subscribed", subscribed)
        .withDetail("stalled", admission.isRejecting());
    if (started && !admission.isRejecting()) {
      builder.up();
    } else {
      builder.outOfService();
    }
  }
}
