/**
 * The demo: a replica that can be broken while one looks at it. Its main class is {@link
 * dev.lastmile.demo.DemoApplication}; the load generator has its own.
 *
 * <p>The service imports nothing from here.
 */
@NullMarked
package dev.lastmile.demo;

import org.jspecify.annotations.NullMarked;
