package dev.lastmile.streams;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Streams and their limits.
 *
 * @param maxConnections streams per replica; further ones are answered 503
 * @param maxConnectionsPerIdentity streams of one identity (its tabs) per replica; further ones are
 *     answered 503
 * @param maxConnectionsPerAddress streams of one client address per replica; further ones are
 *     answered 503
 * @param heartbeat interval between two {@code heartbeat} events of a stream
 * @param retry reconnection time that a stream sends to the browser. Streams that the replica
 *     closes receive up to twice as much, at random, so that browsers do not all return at once
 * @param queueFrames frames in the send queue of a stream; a further one closes the stream
 * @param queueBytes bytes in the send queue of a stream; more close the stream
 * @param maxQueued bytes that wait in all streams of this replica together. Above it, streams take
 *     small updates only. The state of the others is read when there is room again, and the time
 *     limit of a write is 1 s
 * @param writeTimeout timeout of one write of at most {@code lastmile.stream.write-bytes}; after it
 *     the stream is closed
 * @param writeBytes waiting frames that are combined into one write, in bytes
 * @param heldFrames live updates that a stream holds back while its state is read. Further ones are
 *     discarded and read from state
 * @param dispatchers threads that dispatch updates to streams; 0 for one per core
 * @param dispatchQueue envelopes in the queue of each dispatcher. Further ones are discarded and
 *     counted, and the streams are repaired from state
 * @param dispatchBytes bytes in the queues of all dispatchers together; as {@code dispatchQueue}
 * @param readers reads of state that run at the same time in one partition
 * @param readRetry delay before a failed read of state is repeated
 * @param settleAfter time after receipt at which an update that was not flushed is checked: it may
 *     end as {@code client_gone} or {@code slow_consumer}
 * @param forgetAfter time after receipt at which a replica forgets an unsettled delivery; the
 *     ledger has expired it by then
 * @param expectations received deliveries that may wait to be flushed. The ledger redelivers those
 *     above the limit
 * @param presenceCheck time in which Redis is asked once for the announcement of each channel with
 *     streams. A deleted one is found and repaired after at most this time
 * @param acceptQueue connections that may wait to be accepted (listen backlog)
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
    @Min(65_536) @Max(1_073_741_824) @DefaultValue("33554432") int maxQueued,
    @DurationMin(millis = 100) @DurationMax(seconds = 300) @DefaultValue("10s")
        Duration writeTimeout,
    @Min(512) @Max(1_048_576) @DefaultValue("65536") int writeBytes,
    @Min(1) @Max(100_000) @DefaultValue("256") int heldFrames,
    @Min(0) @Max(256) @DefaultValue("0") int dispatchers,
    @Min(1) @Max(1_000_000) @DefaultValue("8192") int dispatchQueue,
    @Min(65_536) @Max(1_073_741_824) @DefaultValue("16777216") int dispatchBytes,
    @Min(1) @Max(100) @DefaultValue("1") int readers,
    @DurationMin(millis = 10) @DurationMax(seconds = 60) @DefaultValue("500ms") Duration readRetry,
    @DurationMin(millis = 10) @DurationMax(seconds = 5) @DefaultValue("500ms") Duration settleAfter,
    @DurationMin(seconds = 1) @DurationMax(seconds = 60) @DefaultValue("6s") Duration forgetAfter,
    @Min(1) @Max(10_000_000) @DefaultValue("100000") int expectations,
    @DurationMin(seconds = 1) @DurationMax(minutes = 10) @DefaultValue("30s")
        Duration presenceCheck,
    @Min(1) @Max(65_535) @DefaultValue("4096") int acceptQueue) {}
