/**
 * The application: which role a process plays, and what every HTTP answer has in common. Imports
 * everything; imported by nobody.
 */
@NullMarked
package dev.lastmile;

import org.jspecify.annotations.NullMarked;
