package dev.lastmile.contract;

import io.swagger.v3.core.util.Yaml31;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.parameters.Parameter;
import java.io.IOException;
import java.io.InputStream;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ClassPathResource;

/** Gives springdoc the parts of the document that no controller can tell. */
@Configuration(proxyBeanMethods = false)
class ContractConfiguration {
  @Bean
  OpenAPI openApi() throws IOException {
    try (InputStream in = read("openapi.yaml")) {
      return Yaml31.mapper().readValue(in, OpenAPI.class);
    }
  }

  /** Every answer may be one of those that the server gives before it has looked for a path. */
  @Bean
  OpenApiCustomizer serversOwnAnswers() {
    return document ->
        document.getPaths().values().stream()
            .flatMap(path -> path.readOperations().stream())
            .forEach(operation -> {
              ServersOwnAnswers.add(operation);
              if (operation.getParameters() != null) {
                operation.getParameters().replaceAll(ContractConfiguration::plainReference);
              }
            });
  }

  /** springdoc leaves what it has guessed beside a reference, where nobody may read it. */
  private static Parameter plainReference(Parameter parameter) {
    return parameter.get$ref() == null ? parameter : new Parameter().$ref(parameter.get$ref());
  }

  static InputStream read(String name) throws IOException {
    return new ClassPathResource(name, ContractConfiguration.class).getInputStream();
  }
}
