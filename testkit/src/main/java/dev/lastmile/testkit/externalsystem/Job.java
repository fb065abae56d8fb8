package dev.lastmile.testkit.externalsystem;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A job and how far it is. Its steps run one after the other; anyone may look. */
final class Job {
  /**
   * What a webhook says, and what {@code GET /jobs/{id}} answers.
   *
   * @param revision 0 before the first report, then one more per report
   */
  record Report(
      long revision,
      String status,
      int progress,
      @Nullable String message,
      @Nullable Object result) {}

  private final String id;
  private final List<String> callbackUrls;
  private final int steps;
  private final boolean fails;
  private final int fillerBytes;

  @GuardedBy("this")
  private Report latest = new Report(0, "PENDING", 0, null, null);

  /**
   * @param fillerBytes how much larger its result is made
   */
  Job(String id, List<String> callbackUrls, int steps, boolean fails, int fillerBytes) {
    this.id = id;
    this.callbackUrls = List.copyOf(callbackUrls);
    this.steps = steps;
    this.fails = fails;
    this.fillerBytes = fillerBytes;
  }

  String id() {
    return id;
  }

  List<String> callbackUrls() {
    return callbackUrls;
  }

  int steps() {
    return steps;
  }

  synchronized Report latest() {
    return latest;
  }

  synchronized boolean isFinished() {
    return latest.revision() >= steps;
  }

  /** Does the next step; the last one ends the job. */
  synchronized Report advance() {
    long revision = latest.revision() + 1;
    if (revision < steps) {
      int progress = (int) (revision * 100 / steps);
      latest = new Report(revision, "RUNNING", progress, "step " + revision + " of " + steps, null);
    } else if (fails) {
      latest = new Report(revision, "FAILED", latest.progress(), "simulated failure", null);
    } else {
      latest = new Report(revision, "SUCCEEDED", 100, "done", result());
    }
    return latest;
  }

  private Map<String, Object> result() {
    int rows = id.hashCode() & 0xffff;
    return fillerBytes == 0
        ? Map.of("jobId", id, "rows", rows)
        : Map.of("jobId", id, "rows", rows, "filler", ".".repeat(fillerBytes));
  }
}
