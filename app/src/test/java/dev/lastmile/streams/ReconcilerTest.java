package dev.lastmile.streams;

import static dev.lastmile.streams.TestUpdates.CHANNEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.lastmile.updates.Channel;
import dev.lastmile.updates.Cursor;
import dev.lastmile.updates.Delivery;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReconcilerTest {
  private static final Channel OTHER = new Channel("1".repeat(32));

  private final StreamProperties properties = TestUpdates.properties(16, 1_000, 8);
  private final StreamMemory memory = TestUpdates.memory();
  private final StreamMemory.Share otherStreams = memory.share();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final FakePresence presence = new FakePresence();
  private final StreamRegistry registry =
      new StreamRegistry(presence, properties, System::nanoTime, meters);
  private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
  private final AtomicInteger reads = new AtomicInteger();
  private final DeliveryLedger ledger = new NoLedger();
  private final Dispatcher dispatcher =
      new Dispatcher(
          registry,
          (_, _, _) -> {
            reads.incrementAndGet();
            return TestUpdates.delta(0, 0);
          },
          presence,
          new PendingDeliveries(registry, ledger, properties, meters),
          ledger,
          properties,
          memory,
          System::nanoTime,
          scheduler,
          meters);
  private final Reconciler reconciler = dispatcher.reconciler();

  @AfterEach
  void stop() {
    dispatcher.close();
    scheduler.shutdownNow();
  }

  private StreamConnection connect(Channel channel) {
    StreamConnection connection =
        new StreamConnection(channel, null, "", properties, memory, "replica-1", 0);
    connection.writeWith(new SilentWriter());
    registry.add(connection);
    reconciler.request(connection.group());
    return connection;
  }

  private double postponed() {
    return meters.get("lastmile.stream.reads.postponed").counter().count();
  }

  private double unavailable() {
    return meters.get("lastmile.stream.closed").tag("reason", "unavailable").counter().count();
  }

  @Test
  void aChannelWhoseAnnouncementWasDeleted_isAnnouncedAgainAndRead() {
    dispatcher.start();
    StreamConnection open = connect(CHANNEL);
    connect(OTHER);
    await().until(() -> !open.awaitsRead() && reads.get() == 2);
    PresenceCheck check = new PresenceCheck(registry, presence, dispatcher, properties);
    presence.deleted.add(CHANNEL);
    for (long parts = properties.presenceCheck().dividedBy(check.interval()); parts > 0; parts--) {
      check.check();
    }
    await().until(() -> reads.get() == 3);
    assertThat(presence.deleted).isEmpty();
    assertThat(presence.calls).hasSize(3);
  }

  @Test
  void whileTheMemoryIsFull_newStreamsAreRejectedAndOpenOnesAreReadLater() {
    dispatcher.start();
    StreamConnection open = connect(CHANNEL);
    await().until(() -> !open.awaitsRead());
    assertThat(reads).hasValue(1);

    otherStreams.set(100_000);
    connect(OTHER);
    await("the new stream is rejected").until(() -> unavailable() == 1);
    assertThat(registry.find(OTHER.value())).isNull();

    open.requireResync();
    reconciler.request(open.group());
    await("it is tried again and again").until(() -> postponed() >= 4);
    assertThat(reads).as("nothing was read").hasValue(1);
    assertThat(registry.find(CHANNEL.value())).as("the open stream stays").isNotNull();

    otherStreams.set(0);
    await("the read").until(() -> !open.awaitsRead());
    assertThat(unavailable()).isEqualTo(1);
  }

  /** Expects nothing. */
  private static final class NoLedger implements DeliveryLedger {
    @Override
    public void settle(Delivery delivery, End end) {}

    @Override
    public void settleRange(Channel channel, long after, Cursor upTo) {}

    @Override
    public long outstanding() {
      return 0;
    }
  }
}
