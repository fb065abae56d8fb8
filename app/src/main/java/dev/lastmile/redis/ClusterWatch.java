package dev.lastmile.redis;

import dev.lastmile.updates.Partition;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the nodes of a Redis Cluster for the primaries: at an interval, and at once after {@link
 * #doubted}. One question at a time, on a virtual thread. While the answer stays the same, the
 * pauses between questions grow, so that a primary without a successor does not cost the others
 * many connections.
 */
final class ClusterWatch {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterWatch.class);

  /** The longest pause between two questions, in shortest pauses. */
  private static final int MOST_PAUSES = 4;

  /** What is done with an answer; one call at a time. */
  interface Listener {
    /**
     * Takes the primaries of the partitions, as the nodes name them.
     *
     * @return whether something has changed
     * @throws RedisUnavailableException if a partition has no primary
     */
    boolean answered(Map<Partition, InetSocketAddress> newest);

    /** The question failed, and another one follows. */
    void failed(RedisUnavailableException failure);
  }

  private final PrimaryConnection.Shared shared;
  private final Listener listener;
  private final ClusterLookup lookup;

  /** The nodes to ask; used by one thread at a time. */
  private Set<InetSocketAddress> nodes;

  /** Used by one thread at a time. */
  private boolean layoutChecked;

  /** The pause before a question that follows at once; used by one thread at a time. */
  private long pauseMillis;

  private final RequestedTask question;

  ClusterWatch(PrimaryConnection.Shared shared, Listener listener) {
    this.shared = shared;
    this.listener = listener;
    this.lookup = new ClusterLookup(shared.dialer(), shared.properties().attemptLimit());
    this.nodes = Set.copyOf(shared.dialer().clusterNodes());
    this.pauseMillis = shortestPause();
    this.question =
        new RequestedTask("cluster-question", shortestPause(), this::ask, shared.scheduler());
  }

  private long shortestPause() {
    return shared.properties().redialInterval().toMillis();
  }

  void start() {
    doubted();
    long interval = shared.properties().clusterInterval().toMillis();
    var _ =
        shared
            .scheduler()
            .scheduleWithFixedDelay(this::doubted, interval, interval, TimeUnit.MILLISECONDS);
  }

  /** Something hints at other primaries. Any thread; returns at once. */
  void doubted() {
    question.request();
  }

  private long ask() {
    boolean changed = false;
    try {
      changed = take(lookup.find(nodes));
    } catch (RedisUnavailableException e) {
      // The names that are configured may lead to other addresses by now.
      Set<InetSocketAddress> all = new HashSet<>(nodes);
      all.addAll(shared.dialer().clusterNodes());
      nodes = Set.copyOf(all);
      listener.failed(e);
      doubted();
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("cluster_view_unreadable");
      doubted();
    }
    long longer = Math.min(2 * pauseMillis, MOST_PAUSES * shortestPause());
    pauseMillis = changed || !question.isRequested() ? shortestPause() : longer;
    return pauseMillis;
  }

  /**
   * @throws RedisUnavailableException if a partition has no primary; before the first answer, also
   *     if the layout is another one, or if no node finds the cluster complete
   */
  private boolean take(List<ClusterView> views) {
    Set<InetSocketAddress> known = ClusterView.nodes(views);
    nodes = known.isEmpty() ? nodes : known;
    if (!layoutChecked) {
      lookup.checkLayout(
          ClusterView.layoutOwner(views)
              .orElseThrow(() ->
                  new RedisUnavailableException(
                      RedisErrorCause.CLUSTERDOWN, "no node finds the cluster complete")));
      layoutChecked = true;
    }
    return !question.isClosed() && listener.answered(ClusterView.newest(views));
  }

  void close() {
    question.close();
  }
}
