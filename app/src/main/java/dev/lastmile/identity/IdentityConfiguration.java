package dev.lastmile.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lastmile.updates.Channel;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServletRequest;
import java.security.SecureRandom;
import java.util.List;
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
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Lets a controller ask for a {@link Channel}: it gets that of the cookie, or the answer is 401.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({IdentityProperties.class, RateProperties.class})
class IdentityConfiguration {
  private static final Logger LOG = LoggerFactory.getLogger(IdentityConfiguration.class);

  @Bean
  Identities identities(IdentityProperties properties, Environment environment) {
    String configured = properties.key();
    if (configured != null) {
      return new Identities(configured.getBytes(UTF_8));
    }
    if (environment.acceptsProfiles(Profiles.of("production"))) {
      throw new IllegalStateException(
          "lastmile.identity.key (LASTMILE_IDENTITY_KEY) must be set in production");
    }
    LOG.atWarn()
        .addKeyValue(
            "detail",
            "set lastmile.identity.key (LASTMILE_IDENTITY_KEY); no other replica accepts the cookies of this one")
        .log("identity_key_generated");
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    return new Identities(random);
  }

  @Bean
  IdentityCookies identityCookies(Identities identities, IdentityProperties properties) {
    return new IdentityCookies(identities, properties);
  }

  @Bean
  RateLimits rateLimits(RateProperties properties, MeterRegistry meters) {
    return new RateLimits(properties, System::nanoTime, meters);
  }

  @Bean
  WebMvcConfigurer identityMvc(IdentityCookies cookies, RateLimits rates, MeterRegistry meters) {
    return new WebMvcConfigurer() {
      @Override
      public void addInterceptors(InterceptorRegistry registry) {
        // Callbacks come from a server and carry a signature instead of a cookie.
        registry
            .addInterceptor(new CrossSiteInterceptor(meters))
            .excludePathPatterns("/api/callbacks/**");
        // First the limit: what is refused must not bring an identity along.
        registry.addInterceptor(new RateInterceptor(cookies, rates));
        registry.addInterceptor(new RootInterceptor(cookies)).addPathPatterns("/");
      }

      @Override
      public void addArgumentResolvers(List<HandlerMethodArgumentResolver> resolvers) {
        resolvers.add(new ChannelResolver(cookies));
      }
    };
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
      HttpServletRequest servlet = request.getNativeRequest(HttpServletRequest.class);
      if (servlet == null) {
        throw new UnauthorizedException();
      }
      return cookies.channelOf(servlet).orElseThrow(UnauthorizedException::new);
    }
  }
}
