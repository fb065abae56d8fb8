package dev.lastmile.http;

import dev.lastmile.http.RejectionMetrics.Reason;
import dev.lastmile.telemetry.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;

/**
 * Limits the memory of answers that are written page by page.
 *
 * <p>The stored data decides how long such an answer is, and the client how long it takes. So only
 * one page of it is in memory at a time, and the pages of all answers are counted, for each client
 * ({@code lastmile.http.max-answers-per-client}) and for all ({@code lastmile.http.max-answers}).
 * The memory is reserved before the first byte, so an answer that has begun does not fail for it.
 * While memory is scarce, {@link SlowClientGuard} closes clients that do not read.
 *
 * <p>Any thread. Never blocks.
 */
@Component
public final class PagedAnswers {
  private static final Logger LOG = LoggerFactory.getLogger(PagedAnswers.class);

  private static final int MIN_RETRY_SECONDS = 2;
  private static final int MAX_RETRY_SECONDS = 6;

  private final HttpProperties limits;
  private final RejectionMetrics rejections;

  /** Bytes of the answers in progress. */
  private final AtomicLong held = new AtomicLong();

  /** The same per client; a client without an answer in progress has no entry. */
  private final Map<String, Long> heldByClient = new ConcurrentHashMap<>();

  PagedAnswers(HttpProperties limits, RejectionMetrics rejections, MeterRegistry meters) {
    this.limits = limits;
    this.rejections = rejections;
    Metric.ANSWERS.gauge(meters, held::get);
  }

  /**
   * Reserves the memory of one answer. A client without another answer in progress always gets its
   * share, and so does the first answer of all.
   *
   * @param client the channel of the client
   * @param bytes the most that a page is expected to occupy
   * @throws RequestProblem 429 or 503 with {@code Retry-After}, if the answers of this client or of
   *     all clients hold too much
   */
  public PagedAnswer begin(String client, long bytes) {
    long ofClient = heldByClient.merge(client, bytes, Long::sum);
    long ofAll = held.addAndGet(bytes);
    PagedAnswer answer = new PagedAnswer(client, bytes);
    if (ofClient > Math.max(bytes, limits.maxAnswersPerClient())) {
      answer.close();
      rejections.count(Reason.CLIENT_ANSWER_MEMORY);
      throw tooMany(
          HttpStatus.TOO_MANY_REQUESTS,
          "too many answers of this client in progress",
          "lastmile.http.max-answers-per-client",
          limits.maxAnswersPerClient());
    }
    if (ofAll > Math.max(bytes, limits.maxAnswers())) {
      answer.close();
      rejections.count(Reason.ANSWER_MEMORY);
      throw tooMany(
          HttpStatus.SERVICE_UNAVAILABLE,
          "too many answers in progress",
          "lastmile.http.max-answers",
          limits.maxAnswers());
    }
    return answer;
  }

  /** Whether little memory is left, so that clients that do not read have to make room. */
  boolean isScarce() {
    return held.get() > limits.maxAnswers() * 3L / 4;
  }

  private static RequestProblem tooMany(
      HttpStatus status, String detail, String setting, int limit) {
    String text = detail + ": at most " + limit + " bytes of memory in total; retry later";
    // At random, so that clients that were rejected together do not come back together.
    int seconds = ThreadLocalRandom.current().nextInt(MIN_RETRY_SECONDS, MAX_RETRY_SECONDS + 1);
    return new RequestProblem(status, text, setting, limit).retryAfter(seconds);
  }

  /** One answer in progress. One thread; {@link #close} releases its memory. */
  public final class PagedAnswer implements AutoCloseable {
    private final String client;
    private final long reserved;
    private long bytes;

    private PagedAnswer(String client, long bytes) {
      this.client = client;
      this.reserved = bytes;
      this.bytes = bytes;
    }

    /**
     * Corrects the count of this answer, after a page was read. A page that is larger than expected
     * is counted with its size, also above the limits; it is in memory already.
     *
     * @param last whether it is the last page; what is not needed any more is given back
     */
    public void holds(long page, boolean last) {
      change((last ? page : Math.max(page, reserved)) - bytes);
    }

    /**
     * Ends an answer that has begun and cannot be completed. Throwing the result closes the
     * connection, so the client sees a broken answer and not a short one.
     *
     * @param cause logged with the event {@code answer_cut}
     */
    public AnswerCutException cut(String reason, Throwable cause) {
      rejections.count(Reason.ANSWER_CUT);
      LOG.atWarn().setCause(cause).addKeyValue("reason", reason).log("answer_cut");
      return new AnswerCutException(cause);
    }

    @Override
    public void close() {
      change(-bytes);
    }

    private void change(long difference) {
      bytes += difference;
      held.addAndGet(difference);
      heldByClient.compute(
          client,
          (_, before) -> {
            long after = (before == null ? 0 : before) + difference;
            return after == 0 ? null : after;
          });
    }
  }
}
