package dev.lastmile.coordination;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How replicas work together.
 *
 * @param coordination {@code broadcast}, or {@code local-only} to show what happens without
 */
@ConfigurationProperties("lastmile")
record CoordinationProperties(@DefaultValue("broadcast") CoordinationMode coordination) {
  boolean broadcasts() {
    return coordination == CoordinationMode.BROADCAST;
  }
}
