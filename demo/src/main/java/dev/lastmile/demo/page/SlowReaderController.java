package dev.lastmile.demo.page;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Lets this replica play a browser that does not read. */
@RestController
class SlowReaderController {
  private final SlowStreamReader reader;

  SlowReaderController(SlowStreamReader reader) {
    this.reader = reader;
  }

  @PostMapping("/api/demo/slow-reader")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void begin() {
    if (!reader.begin()) {
      throw DemoProblem.slowReaderBusy();
    }
  }
}
