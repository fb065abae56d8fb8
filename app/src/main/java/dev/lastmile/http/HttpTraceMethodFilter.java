package dev.lastmile.http;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.http.HttpMethod;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/** Turns TRACE into an unknown method, because TRACE would echo the request's headers. */
@Component
final class HttpTraceMethodFilter extends OncePerRequestFilter {
  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    HttpServletRequest untraced =
        new HttpServletRequestWrapper(request) {
          @Override
          public String getMethod() {
            String method = super.getMethod();
            return HttpMethod.TRACE.matches(method) ? "trace" : method;
          }
        };
    chain.doFilter(untraced, response);
  }
}
