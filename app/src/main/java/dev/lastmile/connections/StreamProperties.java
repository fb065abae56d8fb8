package dev.lastmile.connections;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Streams and their bounds.
 *
 * @param maxConnections streams that this replica holds; more are answered with 503
 * @param maxConnectionsPerIdentity streams of one identity on this replica (its tabs); more are
 *     answered with 503
 * @param maxConnectionsPerAddress streams from one address on this replica; more are answered with
 *     503
 * @param heartbeat pause between two heartbeat events of a stream
 * @param retry reconnection time that a stream tells the browser; closed streams get up to twice as
 *     much, at random, so that not all come back at once
 * @param queueFrames frames that may wait in a stream's send queue; one more closes the stream
 * @param queueBytes bytes that may wait in a stream's send queue; more close the stream
 * @param writeTimeout how long one write of at most {@code writeBytes} may take before the stream
 *     is closed
 * @param writeBytes waiting frames that are put together into one write, in bytes
 * @param heldFrames live updates that a stream holds back while its state is read; more are
 *     discarded and read instead
 * @param dispatchers threads that hand updates to connections; 0 means one per core
 * @param dispatchQueue envelopes that may wait for each of them; more are discarded, counted, and
 *     repaired from state
 * @param readers reads of state that may be under way at the same time
 * @param readRetry pause before a failed read is tried again
 * @param settleAfter time after receipt at which what was not flushed is judged: is the client
 *     gone, or does it not read
 * @param forgetAfter time after receipt at which what could not be settled is forgotten here: the
 *     ledger has expired it by then
 * @param expectations received deliveries that may wait to be flushed; for more, the ledger asks
 *     again
 * @param acceptQueue connections that may wait to be accepted (the listen backlog)
 */
@Validated
@ConfigurationProperties("lastmile.stream")
record StreamProperties(
    @Min(1) @Max(1_000_000) @DefaultValue("20000") int maxConnections,
    @Min(1) @Max(1_000_000) @DefaultValue("20") int maxConnectionsPerIdentity,
    @Min(1) @Max(1_000_000) @DefaultValue("5000") int maxConnectionsPerAddress,
    @DurationMin(millis = 100) @DurationMax(seconds = 60) @DefaultValue("10s") Duration heartbeat,
    @DurationMin(millis = 1) @DurationMax(seconds = 60) @DefaultValue("2s") Duration retry,
    @Min(1) @Max(100_000) @DefaultValue("256") int queueFrames,
    @Min(1_024) @Max(1_073_741_824) @DefaultValue("1048576") int queueBytes,
    @DurationMin(millis = 100) @DurationMax(seconds = 300) @DefaultValue("10s")
        Duration writeTimeout,
    @Min(512) @Max(1_048_576) @DefaultValue("65536") int writeBytes,
    @Min(1) @Max(100_000) @DefaultValue("256") int heldFrames,
    @Min(0) @Max(256) @DefaultValue("0") int dispatchers,
    @Min(1) @Max(1_000_000) @DefaultValue("8192") int dispatchQueue,
    @Min(1) @Max(1_000) @DefaultValue("16") int readers,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("500ms") Duration readRetry,
    @DurationMin(millis = 10) @DurationMax(seconds = 5) @DefaultValue("500ms") Duration settleAfter,
    @DurationMin(seconds = 1) @DurationMax(seconds = 60) @DefaultValue("6s") Duration forgetAfter,
    @Min(1) @Max(10_000_000) @DefaultValue("100000") int expectations,
    @Min(1) @Max(65_535) @DefaultValue("4096") int acceptQueue) {}
