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
 * Limits the memory of answers with operations: lists, which are written page by page, and single
 * ones.
 *
 * <p>The stored data decides how long such an answer is, and the client how long it takes. So only
 * one page of it is in memory at a time, and the pages of all answers are counted: for each client
 * ({@code lastmile.http.max-answers-per-client}), for each address ({@code
 * lastmile.http.max-answers-per-address}) and for all ({@code lastmile.http.max-answers}). The
 * memory is reserved before the first byte. So an answer that has begun fails for it only at an
 * operation that is larger than a page. While memory is scarce, {@link SlowClientGuard} closes
 * clients that do not read.
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

  private final Map<String, Long> heldByAddress = new ConcurrentHashMap<>();

  PagedAnswers(HttpProperties limits, RejectionMetrics rejections, MeterRegistry meters) {
    this.limits = limits;
    this.rejections = rejections;
    Metric.ANSWERS.gauge(meters, held::get);
  }

  /**
   * Reserves the memory of one answer. If there is no other answer in progress, it gets what it
   * needs, also above the limits.
   *
   * @param client the channel of the client
   * @param address the address of the client
   * @param bytes the most that a page is expected to occupy
   * @throws RequestProblem 429 or 503 with {@code Retry-After}, if the answers of this client, of
   *     its address or of all clients hold too much
   */
  public PagedAnswer begin(String client, String address, long bytes) {
    PagedAnswer answer = new PagedAnswer(client, address, bytes);
    try {
      answer.change(bytes);
      return answer;
    } catch (RequestProblem e) {
      answer.close();
      throw e;
    }
  }

  /** Whether little memory is left, so that clients that do not read have to make room. */
  boolean isScarce() {
    return held.get() > limits.maxAnswers() * 3L / 4 && heldByClient.size() > 1;
  }

  /** Adds to what a client or an address holds, and returns the sum. */
  private static long add(Map<String, Long> shares, String key, long difference) {
    Long after =
        shares.compute(
            key,
            (_, before) -> {
              long sum = (before == null ? 0 : before) + difference;
              return sum == 0 ? null : sum;
            });
    return after == null ? 0 : after;
  }

  /** One answer in progress. One thread; {@link #close} releases its memory. */
  public final class PagedAnswer implements AutoCloseable {
    private final String client;
    private final String address;
    private final long reserved;
    private long bytes;

    private PagedAnswer(String client, String address, long reserved) {
      this.client = client;
      this.address = address;
      this.reserved = reserved;
    }

    /**
     * Corrects the count of this answer, after a page was read.
     *
     * @param last whether it is the last page; what is not needed any more is given back
     * @throws RequestProblem if the page is larger than expected and exceeds a limit
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
    public AnswerCutException cut(RuntimeException cause) {
      rejections.count(Reason.ANSWER_CUT);
      LOG.atWarn().setCause(cause).addKeyValue("reason", cause.getMessage()).log("answer_cut");
      return new AnswerCutException(cause);
    }

    @Override
    public void close() {
      change(-bytes);
    }

    private void change(long difference) {
      bytes += difference;
      long ofClient = add(heldByClient, client, difference);
      long ofAddress = add(heldByAddress, address, difference);
      long ofAll = held.addAndGet(difference);
      if (difference > 0) {
        check(ofClient, ofAddress, ofAll);
      }
    }

    private void check(long ofClient, long ofAddress, long ofAll) {
      check(
          ofClient,
          "max-answers-per-client",
          limits.maxAnswersPerClient(),
          HttpStatus.TOO_MANY_REQUESTS,
          " of this client");
      check(
          ofAddress,
          "max-answers-per-address",
          limits.maxAnswersPerAddress(),
          HttpStatus.TOO_MANY_REQUESTS,
          " of this address");
      check(ofAll, "max-answers", limits.maxAnswers(), HttpStatus.SERVICE_UNAVAILABLE, "");
    }

    private void check(long sum, String setting, int limit, HttpStatus status, String whose) {
      if (sum <= Math.max(bytes, limit)) {
        return;
      }
      rejections.count(
          status == HttpStatus.SERVICE_UNAVAILABLE
              ? Reason.ANSWER_MEMORY
              : Reason.CLIENT_ANSWER_MEMORY);
      String detail =
          "too many answers"
              + whose
              + " in progress: at most "
              + limit
              + " bytes of memory in total; retry later";
      // At random, so that clients that were rejected together do not come back together.
      int seconds = ThreadLocalRandom.current().nextInt(MIN_RETRY_SECONDS, MAX_RETRY_SECONDS + 1);
      throw new RequestProblem(status, detail, "lastmile.http." + setting, limit)
          .retryAfter(seconds);
    }
  }
}
