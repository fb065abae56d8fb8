package dev.lastmile.jobs;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.PostExchange;
import tools.jackson.databind.JsonNode;

/** HTTP API of the external system. */
interface JobClient {
  /**
   * A job.
   *
   * @param jobId the operation id; a repeated submission has no effect
   * @param callbackUrls URLs for reports; the external system may use any of them
   */
  record Job(String jobId, String kind, JsonNode input, List<String> callbackUrls) {}

  /** Submits a job. 2xx means that it is accepted, now or before. Throws for 4xx and 5xx. */
  @PostExchange("/jobs")
  ResponseEntity<Void> submit(@RequestBody Job job);

  /**
   * Reads the newest report of a job, in the form of its webhook; null if the response has no body.
   * Throws for 4xx and 5xx.
   */
  @GetExchange("/jobs/{id}")
  byte @Nullable [] report(@PathVariable("id") String jobId);
}
