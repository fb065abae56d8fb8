package dev.lastmile.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.info.BuildProperties;

/** Exports the version of the running build and the commit that it was made from. */
final class BuildInfo implements MeterBinder {
  /** Build property of the commit; see the parent POM. */
  private static final String REVISION = "revision";

  private static final String UNKNOWN = "unknown";

  private final String version;
  private final String revision;

  /**
   * Reads the build properties.
   *
   * @param build null if there are none, as in an IDE that does not run Maven
   */
  BuildInfo(@Nullable BuildProperties build) {
    version = known(build == null ? null : build.getVersion());
    revision = known(build == null ? null : build.get(REVISION));
  }

  private static String known(@Nullable String value) {
    return value == null || value.isBlank() ? UNKNOWN : value;
  }

  @Override
  public void bindTo(MeterRegistry meters) {
    Metric.BUILD_INFO.gauge(meters, () -> 1, version, revision);
  }
}
