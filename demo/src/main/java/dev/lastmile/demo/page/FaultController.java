package dev.lastmile.demo.page;

import dev.lastmile.updates.InvalidValueException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Switches faults: those of replicas at all of them, or at one; those of the external system. */
@RestController
@RequestMapping(path = "/api/demo/faults", produces = MediaType.APPLICATION_JSON_VALUE)
class FaultController {
  private final Faults faults;
  private final ReplicaFaults ofReplicas;
  private final ExternalFaultClient ofExternal;

  FaultController(Faults faults, ReplicaFaults ofReplicas, ExternalFaultClient ofExternal) {
    this.faults = faults;
    this.ofReplicas = ofReplicas;
    this.ofExternal = ofExternal;
  }

  @GetMapping
  ResponseEntity<Faults.Listed> list() {
    return ResponseEntity.ok().cacheControl(CacheControl.noStore()).body(faults.list());
  }

  /**
   * Switches a fault on; again, it lasts longer.
   *
   * @param replica the one that is to have it; all of them if absent
   */
  @PutMapping("/{name}")
  ResponseEntity<Faults.Listed> switchOn(
      @PathVariable("name") String name,
      @RequestParam(name = "replica", required = false) @Nullable String replica) {
    DemoFault fault = DemoFault.parse(name).orElseThrow(DemoProblem::noSuchFault);
    Set<String> known = check(fault, replica);
    if (!fault.isOfReplicas()) {
      ofExternal.switchOn(fault);
    } else if (replica == null) {
      ofReplicas.switchOnEverywhere(fault);
    } else {
      ofReplicas.switchOn(fault, replica);
    }
    return ResponseEntity.ok(faults.list(known));
  }

  /** Switches a fault off, at one replica or everywhere. */
  @DeleteMapping("/{name}")
  ResponseEntity<Faults.Listed> switchOff(
      @PathVariable("name") String name,
      @RequestParam(name = "replica", required = false) @Nullable String replica) {
    DemoFault fault = DemoFault.parse(name).orElseThrow(DemoProblem::noSuchFault);
    Set<String> known = check(fault, replica);
    if (!fault.isOfReplicas()) {
      ofExternal.switchOff(fault);
    } else if (replica == null) {
      ofReplicas.switchOffEverywhere(fault, known);
    } else {
      ofReplicas.switchOff(fault, replica, known);
    }
    return ResponseEntity.ok(faults.list(known));
  }

  /** The replicas that can be named. */
  private Set<String> check(DemoFault fault, @Nullable String replica) {
    Set<String> known = faults.replicas();
    if (replica != null && !fault.isOfReplicas()) {
      throw new InvalidValueException(
          "replica", "absent, since the external system has this fault");
    }
    if (replica != null && !known.contains(replica)) {
      throw new InvalidValueException("replica", "one of " + String.join(", ", known));
    }
    return known;
  }
}
