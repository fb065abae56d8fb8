/**
 * The demo page, the faults that it switches in the running cluster, and the account of the whole
 * cluster in one response.
 *
 * <p>Any replica accepts any request. Replicas share their data through Redis, where it has an
 * expiry. A fault therefore ends by itself if it is not switched off.
 */
@NullMarked
package dev.lastmile.demo.page;

import org.jspecify.annotations.NullMarked;
