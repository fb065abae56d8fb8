package dev.lastmile.demo.page;

import dev.lastmile.ledger.DeliveriesEndpoint;
import dev.lastmile.telemetry.Replica;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which faults there are, and which are on. Any thread. */
final class Faults {
  private final ReplicaFaults ofReplicas;
  private final ExternalFaultClient ofExternal;
  private final DeliveriesEndpoint deliveries;
  private final Replica replica;

  Faults(
      ReplicaFaults ofReplicas,
      ExternalFaultClient ofExternal,
      DeliveriesEndpoint deliveries,
      Replica replica) {
    this.ofReplicas = ofReplicas;
    this.ofExternal = ofExternal;
    this.deliveries = deliveries;
    this.replica = replica;
  }

  /**
   * A fault.
   *
   * @param scope {@code replicas} or {@code external}
   * @param on whether it is on anywhere; null if the external system does not say
   * @param replicas where; empty for those of the external system
   */
  record Fault(String name, String scope, @Nullable Boolean on, List<String> replicas) {}

  /**
   * What the endpoint answers.
   *
   * @param replicas those that can be named
   */
  record Listed(List<Fault> faults, List<String> replicas) {}

  /** The replicas that the account knows, and this one. */
  Set<String> replicas() {
    Set<String> known = new TreeSet<>(deliveries.owners());
    known.add(replica.name());
    return known;
  }

  /** All faults; throws if Redis does not answer. */
  Listed list() {
    return list(replicas());
  }

  Listed list(Set<String> known) {
    Optional<Set<String>> external = ofExternal.on();
    List<Fault> all = new ArrayList<>();
    for (DemoFault fault : DemoFault.values()) {
      all.add(
          fault.isOfReplicas()
              ? ofReplicas(fault, known)
              : new Fault(
                  fault.wireName(),
                  "external",
                  external.map(on -> on.contains(fault.wireName())).orElse(null),
                  List.of()));
    }
    return new Listed(all, List.copyOf(known));
  }

  private Fault ofReplicas(DemoFault fault, Set<String> known) {
    Set<String> having = ofReplicas.of(fault, known);
    return new Fault(fault.wireName(), "replicas", !having.isEmpty(), List.copyOf(having));
  }
}
