package dev.lastmile.telemetry;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import net.logstash.logback.appender.LoggingEventAsyncDisruptorAppender;
import net.logstash.logback.appender.listener.AppenderListener;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Counts the events that the log drops: suppressed repetitions, and events at a full queue. */
@Component
final class LogMeters implements MeterBinder {
  @Override
  public void bindTo(MeterRegistry meters) {
    Counter dropped = Metric.LOG_DROPPED.counter(meters);
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      context
          .getLogger(Logger.ROOT_LOGGER_NAME)
          .iteratorForAppenders()
          .forEachRemaining(appender -> bind(appender, dropped, meters));
    }
  }

  private static void bind(
      Appender<ILoggingEvent> appender, Counter dropped, MeterRegistry meters) {
    if (appender instanceof LoggingEventAsyncDisruptorAppender queue) {
      queue.addListener(
          new AppenderListener<ILoggingEvent>() {
            @Override
            public void eventAppendFailed(
                Appender<ILoggingEvent> full, ILoggingEvent event, Throwable reason) {
              dropped.increment();
            }
          });
    }
    appender.getCopyOfAttachedFiltersList().stream()
        .filter(LogLimit.class::isInstance)
        .map(LogLimit.class::cast)
        .forEach(limit -> Metric.LOG_SUPPRESSED.counter(meters, limit, LogLimit::suppressed));
  }
}
