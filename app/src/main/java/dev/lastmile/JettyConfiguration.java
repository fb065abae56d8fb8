package dev.lastmile;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
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
import org.springframework.core.annotation.Order;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a request passes on the public port, from the socket to the servlets. In between stand, in
 * their {@code @Order}, the handlers that features have as beans; none of them may block.
 */
@Configuration(proxyBeanMethods = false)
class JettyConfiguration {
  /** A cookie that is none, perhaps another application's on this host, is left out. */
  private static final CookieCompliance COOKIES = CookieCompliance.from("RFC6265,INVALID_COOKIES");

  @Bean
  Refusals refusals(MeterRegistry meters) {
    return new Refusals(meters);
  }

  /** Behind the streams, which have none, and behind whoever counts the requests under way. */
  @Bean
  @Order(250)
  Handler.Wrapper bodies(HttpProperties properties) {
    return new Bodies(properties, System::nanoTime);
  }

  @Bean
  WebServerFactoryCustomizer<JettyServletWebServerFactory> publicPort(
      HttpProperties properties,
      JettyServerProperties jetty,
      Refusals refusals,
      ProblemAdvice advice,
      JsonMapper mapper,
      ObjectProvider<Handler.Wrapper> inFront) {
    return factory -> {
      factory.setThreadPool(threads(jetty.getThreads()));
      factory.addServerCustomizers(server -> {
        server.setErrorHandler(new JettyProblems(refusals, advice, mapper));
        Deque<Handler.Wrapper> passed = new ArrayDeque<>();
        passed.add(new SecureHeaders());
        passed.add(new ReadableCookies());
        inFront.orderedStream().forEach(passed::add);
        passed.add(new ServletThreads());
        server.setHandler(chain(passed, server.getHandler()));
        for (ContextHandler context : server.getDescendants(ContextHandler.class)) {
          if (context.getErrorHandler() instanceof ErrorHandler pages) {
            // Only what goes wrong while Spring's own answer to an error is made ends there.
            pages.setShowStacks(false);
            pages.setShowCauses(false);
          }
        }
        for (Connector connector : server.getConnectors()) {
          if (connector instanceof AbstractConnector sockets) {
            sockets
                .getConnectionFactory(HttpConnectionFactory.class)
                .getHttpConfiguration()
                .setRequestCookieCompliance(COOKIES);
            sockets.addBean(new SlowClients(sockets, properties, refusals, System::nanoTime));
          }
        }
      });
    };
  }

  /**
   * A selector waits for the kernel, which a virtual thread can do only with the help of another
   * one: it gets a thread of the system, as accepting and closing do. Requests get virtual ones
   * ({@link ServletThreads}).
   */
  private static ThreadPool threads(JettyServerProperties.Threads limits) {
    QueuedThreadPool system =
        new QueuedThreadPool(limits.getMax(), Math.min(limits.getMin(), limits.getMax()));
    system.setName("jetty");
    system.setReservedThreads(0);
    system.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("request-"));
    return system;
  }

  private static Handler chain(Deque<Handler.Wrapper> passed, Handler last) {
    Handler next = last;
    for (Iterator<Handler.Wrapper> back = passed.descendingIterator(); back.hasNext(); ) {
      Handler.Wrapper wrapper = back.next();
      wrapper.setHandler(next);
      next = wrapper;
    }
    return next;
  }
}
