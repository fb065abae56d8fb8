package dev.lastmile;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.modulith.core.ApplicationModules;

/** The borders between the packages, and the rules that keep code testable. */
class ModularityTest {
  private static final JavaClasses MAIN =
      new ClassFileImporter().importPath(Path.of("target", "classes"));

  @Test
  void packagesImportOnlyWhatTheyDeclare() {
    ApplicationModules.of(Lastmile.class).verify();
  }

  @Test
  void nothingSleeps() {
    noClasses()
        .should()
        .callMethod(Thread.class, "sleep", long.class)
        .because("a wait is scheduled or awaited, and bounded")
        .check(MAIN);
  }

  @Test
  void clocksAreInjected() {
    noClasses()
        .that()
        .haveSimpleNameNotEndingWith("Configuration")
        .should()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .because("decisions use Redis time, durations an injected clock; configurations hand it in")
        .check(MAIN);
  }

  @Test
  void protocolTextIsIndependentOfTheDefaultLocale() {
    noClasses()
        .should()
        .callMethod(String.class, "formatted", Object[].class)
        .orShould()
        .callMethod(String.class, "format", String.class, Object[].class)
        .orShould()
        .callMethod(String.class, "toLowerCase")
        .orShould()
        .callMethod(String.class, "toUpperCase")
        .because("%d in ar-EG gives other digits; concatenate, or name Locale.ROOT")
        .check(MAIN);
  }

  @Test
  void noFieldInjection() {
    fields().should().notBeAnnotatedWith(Autowired.class).check(MAIN);
  }

  @Test
  void noPackageForWhatHasNoName() {
    classes()
        .should()
        .resideOutsideOfPackages("..util..", "..common..", "..helper..", "..impl..")
        .because("a package is called after a feature")
        .check(MAIN);
  }

  @Test
  void fewTypesArePublic() {
    long open =
        MAIN.stream()
            .filter(type -> type.isTopLevelClass())
            .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
            .filter(type -> !type.getSimpleName().equals("package-info"))
            .count();
    assertThat(open).as("public top-level types").isLessThanOrEqualTo(72);
  }
}
