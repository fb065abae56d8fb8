package dev.lastmile.testkit.externalsystem;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** The simulated external system over HTTP: jobs, and the faults that it is told to have. */
@RestController
class JobController {
  private static final int MOST_STEPS = 100;
  private static final long LONGEST_MILLIS = 3_600_000;
  private static final int MOST_URLS = 64;
  private static final long LONGEST_FAULT_SECONDS = 86_400;

  /** The service refuses a callback above 64 KB. */
  private static final int MOST_FILLER_BYTES = 60_000;

  private final Simulation simulation;

  JobController(Simulation simulation) {
    this.simulation = simulation;
  }

  record Submission(
      @Nullable String jobId,
      @Nullable String kind,
      Simulation.@Nullable Wishes input,
      @Nullable List<String> callbackUrls) {}

  record Status(
      String jobId,
      long revision,
      String status,
      int progress,
      @Nullable String message,
      @Nullable Object result) {}

  @PostMapping(path = "/jobs", consumes = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Map<String, String>> submit(@RequestBody Submission submission) {
    String id = submission.jobId();
    List<String> urls = submission.callbackUrls();
    if (id == null || id.isEmpty() || id.length() > 128) {
      throw bad("jobId must be 1 to 128 characters");
    }
    if (urls == null || urls.isEmpty() || urls.size() > MOST_URLS) {
      throw bad("callbackUrls must be 1 to " + MOST_URLS + " addresses");
    }
    urls.forEach(JobController::checkUrl);
    Simulation.Wishes wishes =
        submission.input() == null ? Simulation.Wishes.NONE : submission.input();
    if (wishes.steps() != null && (wishes.steps() < 1 || wishes.steps() > MOST_STEPS)) {
      throw bad("input.steps must be 1 to " + MOST_STEPS);
    }
    Long millis = wishes.durationMillis();
    if (millis != null && (millis < 0 || millis > LONGEST_MILLIS)) {
      throw bad("input.durationMillis must be 0 to " + LONGEST_MILLIS);
    }
    Integer filler = wishes.resultBytes();
    if (filler != null && (filler < 0 || filler > MOST_FILLER_BYTES)) {
      throw bad("input.resultBytes must be 0 to " + MOST_FILLER_BYTES);
    }
    return switch (simulation.accept(id, urls, wishes)) {
      case ACCEPTED -> ResponseEntity.accepted().body(Map.of("jobId", id));
      case KNOWN -> ResponseEntity.ok(Map.of("jobId", id));
      case FULL ->
          throw new ResponseStatusException(HttpStatus.SERVICE_UNAVAILABLE, "too many jobs");
    };
  }

  private static void checkUrl(@Nullable String url) {
    try {
      String scheme = url == null ? null : URI.create(url).getScheme();
      if ("http".equals(scheme) || "https".equals(scheme)) {
        return;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw bad("callbackUrls must be http or https addresses");
  }

  @GetMapping("/jobs/{id}")
  Status status(@PathVariable("id") String id) {
    Job job =
        simulation
            .find(id)
            .orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "no such job"));
    Job.Report report = job.latest();
    return new Status(
        job.id(),
        report.revision(),
        report.status(),
        report.progress(),
        report.message(),
        report.result());
  }

  @GetMapping("/faults")
  List<String> faults() {
    return simulation.faults();
  }

  /**
   * Switches a fault on.
   *
   * @param seconds when it ends by itself; absent if it does not
   */
  @PutMapping("/faults/{name}")
  List<String> switchOn(
      @PathVariable("name") String name,
      @RequestParam(name = "seconds", required = false) @Nullable Long seconds) {
    ExternalFault fault = fault(name);
    if (seconds != null && (seconds < 1 || seconds > LONGEST_FAULT_SECONDS)) {
      throw bad("seconds must be 1 to " + LONGEST_FAULT_SECONDS);
    }
    simulation.switchOn(fault, seconds == null ? null : Duration.ofSeconds(seconds));
    return simulation.faults();
  }

  @DeleteMapping("/faults/{name}")
  List<String> switchOff(@PathVariable("name") String name) {
    simulation.switchOff(fault(name));
    return simulation.faults();
  }

  private static ExternalFault fault(String name) {
    return ExternalFault.parse(name)
        .orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "no such fault"));
  }

  private static ResponseStatusException bad(String detail) {
    return new ResponseStatusException(HttpStatus.BAD_REQUEST, detail);
  }
}
