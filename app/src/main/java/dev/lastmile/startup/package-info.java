/**
 * Checks of settings and secrets before the service starts. A failed check stops the start with one
 * sentence that names the setting.
 */
@NullMarked
@ApplicationModule(allowedDependencies = {})
package dev.lastmile.startup;

import org.jspecify.annotations.NullMarked;
import org.springframework.modulith.ApplicationModule;
