package dev.lastmile.demo.page;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** What the replicas tell each other of themselves. Any thread; blocks as the notice board does. */
final class Summaries {
  private static final Logger LOG = LoggerFactory.getLogger(Summaries.class);

  private final ExpiringKeyValues board;
  private final Supplier<ReplicaSummary> own;
  private final JsonMapper mapper;
  private final Duration endsAfter;

  Summaries(
      ExpiringKeyValues board,
      Supplier<ReplicaSummary> own,
      JsonMapper mapper,
      Duration endsAfter) {
    this.board = board;
    this.own = own;
    this.mapper = mapper;
    this.endsAfter = endsAfter;
  }

  private static String notice(String replica) {
    return "replica:" + replica;
  }

  /** Tells the others. */
  void tell() {
    ReplicaSummary summary = own.get();
    board.put(notice(summary.replica()), mapper.writeValueAsString(summary), endsAfter);
  }

  /** What this replica says now. */
  ReplicaSummary own() {
    return own.get();
  }

  /** What those of the known replicas that run have told last, and what this one says now. */
  List<ReplicaSummary> all(Collection<String> known) {
    ReplicaSummary mine = own.get();
    List<String> replicas = List.copyOf(known);
    Map<String, String> told = board.read(replicas.stream().map(Summaries::notice).toList());
    List<ReplicaSummary> all = new ArrayList<>();
    for (String replica : replicas) {
      String text = told.get(notice(replica));
      if (replica.equals(mine.replica())) {
        all.add(mine);
      } else if (text != null) {
        try {
          all.add(mapper.readValue(text, ReplicaSummary.class));
        } catch (JacksonException e) {
          // Another version of this software, during an update.
          LOG.atDebug().setCause(e).log("summary_unreadable");
        }
      }
    }
    return all;
  }
}
