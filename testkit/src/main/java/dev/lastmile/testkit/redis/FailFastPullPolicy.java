package dev.lastmile.testkit.redis;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.PullResponseItem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ContainerFetchException;
import org.testcontainers.images.ImagePullPolicy;
import org.testcontainers.utility.DockerImageName;

/**
 * Pulls a missing image in one attempt. Testcontainers by itself repeats a failed pull for 120 s,
 * in each JVM and for each image, its reaper's included.
 *
 * <p>A pull fails at once where the engine reports an error, after 5 s without a first answer of
 * the registry, and after 30 s without progress.
 *
 * <p>{@code testcontainers.properties} names this class, hence it is public.
 */
public final class FailFastPullPolicy implements ImagePullPolicy {
  private final Supplier<DockerClient> client;
  private final Duration firstAnswer;
  private final Duration progress;

  /** As Testcontainers creates it. */
  public FailFastPullPolicy() {
    this(DockerClientFactory::lazyClient, Duration.ofSeconds(5), Duration.ofSeconds(30));
  }

  FailFastPullPolicy(Supplier<DockerClient> client, Duration firstAnswer, Duration progress) {
    this.client = client;
    this.firstAnswer = firstAnswer;
    this.progress = progress;
  }

  /**
   * Never leaves a pull to Testcontainers.
   *
   * @throws ContainerFetchException if the engine neither has the image nor can pull it
   */
  @Override
  public boolean shouldPull(DockerImageName image) {
    String name = image.asCanonicalNameString();
    if (isPresent(name)) {
      return false;
    }
    pull(image, name);
    return false;
  }

  private boolean isPresent(String name) {
    try {
      client.get().inspectImageCmd(name).exec();
      return true;
    } catch (NotFoundException e) {
      return false;
    }
  }

  private void pull(DockerImageName image, String name) {
    try (Pull pull = new Pull()) {
      client
          .get()
          .pullImageCmd(image.getUnversionedPart())
          .withTag(image.getVersionPart())
          .exec(pull);
      while (!pull.ended.await(50, TimeUnit.MILLISECONDS)) {
        Duration limit = pull.answered ? progress : firstAnswer;
        if (System.nanoTime() - pull.latestNanos > limit.toNanos()) {
          throw failure(name, "no progress for " + limit.toMillis() + " ms");
        }
      }
      if (pull.error != null) {
        throw failure(name, pull.error);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure(name, "interrupted");
    }
  }

  private static ContainerFetchException failure(String name, String why) {
    return new ContainerFetchException("cannot pull " + name + ": " + why.strip());
  }

  /** Written by the client's thread, read by the one that waits. */
  private static final class Pull extends ResultCallback.Adapter<PullResponseItem> {
    private volatile long latestNanos = System.nanoTime();
    private volatile boolean answered;
    private volatile String error;
    // The superclass's awaitCompletion with a limit ends the pull at the limit.
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public void onNext(PullResponseItem item) {
      latestNanos = System.nanoTime();
      answered = true;
      if (item.isErrorIndicated()) {
        error = item.getErrorDetail() == null ? "" : item.getErrorDetail().getMessage();
      }
    }

    @Override
    public void onError(Throwable throwable) {
      error = String.valueOf(throwable.getMessage());
      super.onError(throwable);
    }

    @Override
    public void close() throws IOException {
      super.close();
      ended.countDown();
    }
  }
}
