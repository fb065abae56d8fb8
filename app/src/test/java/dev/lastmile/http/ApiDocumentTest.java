package dev.lastmile.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.context.annotation.ClassPathScanningCandidateComponentProvider;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.type.filter.AnnotationTypeFilter;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.bind.annotation.RestController;
import org.yaml.snakeyaml.Yaml;

/** The OpenAPI document has the endpoints of the controllers, and no others. */
class ApiDocumentTest {
  /** Jetty handlers serve them, and a copy of the document with another name. */
  private static final Set<String> WITHOUT_CONTROLLER =
      Set.of("get /api/stream", "post /api/callbacks/{operationId}");

  private static final String UNDOCUMENTED = "get /v3/api-docs.yaml";

  @Test
  void theDocumentHasTheEndpointsOfTheControllers() throws Exception {
    Set<String> expected = new TreeSet<>(WITHOUT_CONTROLLER);
    expected.addAll(endpoints());
    assertThat(expected.remove(UNDOCUMENTED)).isTrue();
    assertThat(documented()).isEqualTo(expected);
  }

  private static Set<String> endpoints() throws ClassNotFoundException {
    var scanner = new ClassPathScanningCandidateComponentProvider(false);
    scanner.addIncludeFilter(new AnnotationTypeFilter(RestController.class));
    Set<String> endpoints = new TreeSet<>();
    for (BeanDefinition found : scanner.findCandidateComponents("dev.lastmile")) {
      Class<?> controller = Class.forName(found.getBeanClassName());
      boolean ours = !controller.getPackageName().startsWith("dev.lastmile.testkit");
      if (ours && !ErrorController.class.isAssignableFrom(controller)) {
        RequestMapping all =
            AnnotatedElementUtils.findMergedAnnotation(controller, RequestMapping.class);
        String prefix = all == null ? "" : all.path()[0];
        for (Method method : controller.getDeclaredMethods()) {
          RequestMapping own =
              AnnotatedElementUtils.findMergedAnnotation(method, RequestMapping.class);
          if (own != null) {
            add(endpoints, own, prefix);
          }
        }
      }
    }
    return endpoints;
  }

  private static void add(Set<String> endpoints, RequestMapping mapping, String prefix) {
    String path = prefix + (mapping.path().length == 0 ? "" : mapping.path()[0]);
    for (RequestMethod method : mapping.method()) {
      endpoints.add(method.name().toLowerCase(Locale.ROOT) + " " + path);
    }
  }

  private static Set<String> documented() throws IOException {
    try (InputStream in = ApiDocumentTest.class.getResourceAsStream("openapi.yaml")) {
      Map<String, Map<String, Map<String, Object>>> document = new Yaml().load(in);
      Set<String> documented = new TreeSet<>();
      document
          .get("paths")
          .forEach((path, methods) ->
              methods.keySet().forEach(method -> documented.add(method + " " + path)));
      return documented;
    }
  }
}
