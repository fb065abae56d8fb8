package dev.lastmile.external;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.PostExchange;
import tools.jackson.databind.JsonNode;

/** What the external system offers over HTTP. */
interface ExternalSystem {
  /**
   * A job.
   *
   * @param jobId the operation's id: submitting it again changes nothing
   * @param callbackUrls where to report; any of them will do
   */
  record Job(String jobId, String kind, JsonNode input, List<String> callbackUrls) {}

  /** Hands a job over; 2xx means accepted, now or before. Throws for 4xx and 5xx. */
  @PostExchange("/jobs")
  ResponseEntity<Void> submit(@RequestBody Job job);

  /**
   * The newest report of a job, as its webhook would say it; null if the answer has no body. Throws
   * for 4xx and 5xx.
   */
  @GetExchange("/jobs/{id}")
  byte @Nullable [] report(@PathVariable("id") String jobId);
}
