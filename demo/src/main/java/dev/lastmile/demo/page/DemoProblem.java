package dev.lastmile.demo.page;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/** A request of the demonstration that cannot be done. */
final class DemoProblem extends ErrorResponseException {
  private static final long serialVersionUID = 1L;

  private DemoProblem(HttpStatus status, ProblemDetail problem) {
    super(status, problem, null);
  }

  static DemoProblem noSuchFault() {
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.NOT_FOUND, "no such fault");
    problem.setProperty("field", "name");
    problem.setProperty("limit", "one of " + String.join(", ", DemoFault.names()));
    return new DemoProblem(HttpStatus.NOT_FOUND, problem);
  }

  static DemoProblem externalSilent() {
    return new DemoProblem(
        HttpStatus.BAD_GATEWAY,
        ProblemDetail.forStatusAndDetail(
            HttpStatus.BAD_GATEWAY,
            "the external system does not answer; its faults are as before"));
  }

  static DemoProblem slowReaderBusy() {
    return new DemoProblem(
        HttpStatus.CONFLICT,
        ProblemDetail.forStatusAndDetail(
            HttpStatus.CONFLICT, "this replica has a slow reader already; it goes after 25 s"));
  }
}
