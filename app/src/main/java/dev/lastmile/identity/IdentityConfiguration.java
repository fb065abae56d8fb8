package dev.lastmile.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Channel;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.MethodParameter;
import org.springframework.core.env.Environment;
import org.springframework.core.env.Profiles;
import org.springframework.web.bind.support.WebDataBinderFactory;
import org.springframework.web.context.request.NativeWebRequest;
import org.springframework.web.method.support.HandlerMethodArgumentResolver;
import org.springframework.web.method.support.ModelAndViewContainer;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Configures cookies, rate limits and the argument {@link Channel} of controllers, which is the
 * channel of the cookie. Without a valid cookie the response is 401.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({IdentityProperties.class, RateProperties.class})
class IdentityConfiguration {
  private static final Logger LOG = LoggerFactory.getLogger(IdentityConfiguration.class);

  @Bean
  IdentityTokens identityTokens(IdentityProperties properties, Environment environment) {
    String configured = properties.key();
    if (configured != null) {
      return new IdentityTokens(configured.getBytes(UTF_8));
    }
    if (environment.acceptsProfiles(Profiles.of("production"))) {
      throw new IllegalStateException(
          "lastmile.identity.key (LASTMILE_IDENTITY_KEY) must be set in production");
    }
    LOG.atWarn()
        .addKeyValue(
            "detail",
            "set lastmile.identity.key (LASTMILE_IDENTITY_KEY); without it no other replica accepts this one's cookies")
        .log("identity_key_generated");
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    return new IdentityTokens(random);
  }

  @Bean
  WebMvcConfigurer identityMvc(IdentityCookies cookies, RateLimits rates, MeterRegistry meters) {
    return new WebMvcConfigurer() {
      @Override
      public void addInterceptors(InterceptorRegistry registry) {
        // Callbacks come from a server and have a signature instead of a cookie.
        registry
            .addInterceptor(new CrossSiteInterceptor(meters))
            .excludePathPatterns("/api/callbacks/**");
        // The limit first: a rejected request must not create an identity.
        registry.addInterceptor(new RateInterceptor(cookies, rates));
        registry.addInterceptor(new RootInterceptor(cookies)).addPathPatterns("/");
      }

      @Override
      public void addArgumentResolvers(List<HandlerMethodArgumentResolver> resolvers) {
        resolvers.add(new ChannelResolver(cookies));
      }
    };
  }

  /**
   * Issues an identity to a browser that requests the root, for the demo page as well as for the
   * plain text.
   */
  private record RootInterceptor(IdentityCookies cookies) implements HandlerInterceptor {
    @Override
    public boolean preHandle(
        HttpServletRequest request, HttpServletResponse response, Object handler) {
      cookies.ensure(request, response);
      return true;
    }
  }

  private record ChannelResolver(IdentityCookies cookies) implements HandlerMethodArgumentResolver {
    @Override
    public boolean supportsParameter(MethodParameter parameter) {
      return parameter.getParameterType() == Channel.class;
    }

    @Override
    public Object resolveArgument(
        MethodParameter parameter,
        @Nullable ModelAndViewContainer container,
        NativeWebRequest request,
        @Nullable WebDataBinderFactory binders) {
      return Optional.ofNullable(request.getNativeRequest(HttpServletRequest.class))
          .flatMap(cookies::channelOf)
          .orElseThrow(IdentityTokens::unauthorized);
    }
  }
}
