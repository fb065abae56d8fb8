package dev.lastmile.http;

import com.github.benmanes.caffeine.cache.Ticker;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.http.CookieCompliance;
import org.eclipse.jetty.server.AbstractConnector;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ThreadPool;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.databind.json.JsonMapper;

/**
 * Configures Jetty for the public port: thread pool, order of the handlers, error handler and
 * connection limits.
 *
 * <p>{@link HandlerOrder} lists the handlers that features declare as beans. They run between
 * {@link CookieValidator} and {@link VirtualThreadHandoff}, and none of them may block.
 */
@Configuration(proxyBeanMethods = false)
class JettyConfiguration {
  /** Invalid cookies are left out: other applications on this host may set them. */
  private static final CookieCompliance COOKIES = CookieCompliance.from("RFC6265,INVALID_COOKIES");

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> publicPort(
      HttpProperties properties,
      JettyServerProperties jetty,
      RejectionMetrics rejections,
      PagedAnswers answers,
      ProblemAdvice advice,
      JsonMapper mapper,
      Ticker ticker,
      ObjectProvider<Handler.Wrapper> handlers) {
    return factory -> {
      factory.setThreadPool(threads(jetty.getThreads()));
      factory.addServerCustomizers(server -> {
        server.setErrorHandler(new JettyProblems(rejections, advice, mapper));
        List<Handler.Wrapper> order = new ArrayList<>();
        order.add(new SecurityHeaders());
        order.add(new CookieValidator());
        handlers.orderedStream().forEach(order::add);
        order.add(new VirtualThreadHandoff());
        order.reversed().forEach(server::insertHandler);
        for (ContextHandler context : server.getDescendants(ContextHandler.class)) {
          if (context.getErrorHandler() instanceof ErrorHandler errorPages) {
            // The container's error pages appear only if Spring's own error response fails.
            errorPages.setShowStacks(false);
            errorPages.setShowCauses(false);
          }
        }
        for (Connector connector : server.getConnectors()) {
          if (connector instanceof AbstractConnector socketConnector) {
            socketConnector
                .getConnectionFactory(HttpConnectionFactory.class)
                .getHttpConfiguration()
                .setRequestCookieCompliance(COOKIES);
            socketConnector.addBean(
                new SlowClientGuard(socketConnector, properties, rejections, answers, ticker));
          }
        }
      });
    };
  }

  /**
   * Platform threads for Jetty's selectors and acceptors, virtual threads for requests ({@link
   * VirtualThreadHandoff}). A selector waits in the kernel; while it does, a virtual thread would
   * occupy a platform thread anyway.
   */
  private static ThreadPool threads(JettyServerProperties.Threads limits) {
    QueuedThreadPool system =
        new QueuedThreadPool(limits.getMax(), Math.min(limits.getMin(), limits.getMax()));
    system.setName("jetty");
    system.setReservedThreads(0);
    system.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("request-"));
    return system;
  }
}
