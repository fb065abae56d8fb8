/**
 * This service and its peers in the same run, on loopback, read by one load client.
 *
 * <p>{@code Benchmark} goes through workloads ({@code Workload}), each of which measures its
 * candidates ({@code Candidate}: processes that it starts) round by round, in alternating order.
 * The load client is this process: {@code Streams} reads, {@code Publisher} writes, both on one
 * clock. CPU and memory are those of the candidates' processes, as the kernel counts them.
 */
package dev.lastmile.benchmark;
