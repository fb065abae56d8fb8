package dev.lastmile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.CopyArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import java.net.URI;
import java.util.List;

/**
 * A server of a replication group, played by a database of a real Redis. A script that asks for the
 * replication ids gets those of this server, so any order of failovers takes milliseconds.
 */
public final class PlayedServer {
  private static final String ASKS = "local replication = redis.call('INFO', 'replication')\n";
  private static final String NONE = "0".repeat(40);

  private final int database;
  private final RedisCommands<String, byte[]> commands;
  private String id = NONE;
  private String before = NONE;

  /**
   * @param client closes the connection with its own end
   */
  public PlayedServer(RedisClient client, URI redis, int database) {
    RedisURI uri = RedisURI.create(redis);
    uri.setDatabase(database);
    this.database = database;
    this.commands =
        client.connect(RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE), uri).sync();
  }

  /** A primary without data, in a term. */
  public void begin(int number, List<String> epochKeys) {
    commands.flushdb();
    id = id(number);
    before = NONE;
    run(Script.EPOCH, epochKeys, new ScriptArguments().add("0123456789abcdef").add(0));
  }

  /** Becomes a primary of its own, or restarts, with the data that it has. */
  public void enterTerm(int number) {
    before = id;
    id = id(number);
  }

  /** Has the data of a primary from now on, as its replica. */
  public void replicate(PlayedServer primary) {
    commands.flushdb();
    for (String key : primary.commands.keys("*")) {
      primary.commands.copy(key, key, CopyArgs.Builder.destinationDb(database).replace(true));
    }
    id = primary.id;
    before = NONE;
  }

  /** The start of the name of its term; a number follows. */
  public String replicationId() {
    return id.substring(0, 12);
  }

  public List<Object> run(Script script, List<String> keys, ScriptArguments arguments) {
    String source = script.source();
    assertThat(source).as("asks for the replication ids once").containsOnlyOnce(ASKS);
    String played =
        source.replace(
            ASKS,
            "local replication = 'master_replid:%s master_replid2:%s'\n".formatted(id, before));
    return commands.eval(
        played.getBytes(UTF_8), ScriptOutputType.MULTI, Keys.declared(keys), arguments.toArray());
  }

  private static String id(int number) {
    return "%012x".formatted(number) + "0".repeat(28);
  }
}
