package dev.lastmile.store;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Configuration;

/** Builds the readers and writers of operations. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({OverdueProperties.class, RetentionProperties.class})
class StoreConfiguration {}
