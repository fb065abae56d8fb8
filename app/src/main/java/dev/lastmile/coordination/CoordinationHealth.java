package dev.lastmile.coordination;

import dev.lastmile.connections.Doors;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Part of readiness: up once this replica has reached Redis and heard it. It stays up when Redis
 * goes away later, since every replica would leave the balancer at once and nobody would tell the
 * browser. It goes down while this replica alone is deaf.
 */
final class CoordinationHealth extends AbstractHealthIndicator {
  private final RedisLink link;
  private final Subscriber subscriber;
  private final Doors doors;
  private final CoordinationSwitch coordination;
  private volatile boolean started;

  CoordinationHealth(
      RedisLink link, Subscriber subscriber, Doors doors, CoordinationSwitch coordination) {
    this.link = link;
    this.subscriber = subscriber;
    this.doors = doors;
    this.coordination = coordination;
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    boolean hears = !coordination.broadcasts() || subscriber.isSubscribed();
    started |= link.isUp() && hears;
    builder
        .withDetail("redis", link.isUp())
        .withDetail("subscribed", hears)
        .withDetail("deaf", doors.isClosed());
    if (started && !doors.isClosed()) {
      builder.up();
    } else {
      builder.outOfService();
    }
  }
}
