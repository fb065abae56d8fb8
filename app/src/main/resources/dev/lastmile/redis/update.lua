-- Prepended, after term.lua, clock.lua and channel.lua, to the scripts that store an update of an operation and publish
-- it: create.lua and change.lua. Each is one atomic step.
--
-- State, sequence, timeline, retention, expected deliveries and publication are written only by these scripts.
--
-- KEYS  all in one partition
--   1 meta         hash    epoch, terms (see term.lua), trimmed (highest head of a deleted channel), swept and
--                          stalled (see clock.lua), sweeper and sweeperSince (see lease.lua), repaired (time of the
--                          last repair, ms), positions (see channel.lua)
--   2 log          zset    operation id -> sequence of its newest update
--   3 operations   hash    id -> "version sequence revision status acked progress
--                          correlationId",
--                          id:e -> envelope of the newest update
--   4 finals       zset    operation id -> ms when its status became final
--   5 pointer      hash    immutable part of the operation, its job until it is accepted, and failedHere if this
--                          service has failed it and no report has replaced that
--   6 timeline     hash    version -> lines of hops: "hop at replica outcome"; the first line also has the
--                          traceparent of the publication
--   7 submissions  zset    operation id -> ms when its job is submitted again
--   8 expiry       zset    channel -> ms when its oldest final operation may be deleted
--   9 overdue      zset    operation id -> ms when it is overdue without a further report
--  10 presence     hash    incarnation -> generation
--  11 leases       zset    incarnation -> its end (see lease.lua)
--  12 ledger       zset    deliveries not settled, "channel:sequence:incarnation" -> published at, ms on
--                          the ledger's clock, or when a later term began (see sweep.lua); redelivered ones are in
--                          the zset redelivered instead
--  13 entries      hash    such a delivery -> "publishedAtMicros operationId version correlationId traceparent term";
--                          "epoch" -> the epoch, so that a deleted key is noticed
--  14 account      hash    "replica counter" -> total of this term; "epoch" as in entries, "term" -> the term,
--                          "begun" -> Redis time at which its totals began, s, "generation" (see totals.lua)
--  15 deadlines    zset    operation id -> ms when it fails without an outcome
-- ARGV
--   1 prefix of the Pub/Sub channels of the partition  2 fan-out: directed, broadcast, local-only  3 replica  4 channel
--   5 operation id  6 correlation id
--   7 traceparent and  8 tracestate of the publication  9 status  10 progress or ''
--  11 body: JSON object of the operation, without its end  12 received at, us (0 = now)
--  13 versions kept in the timeline  14 overdue after, ms  15 outcome of the timeline's first hop
local meta_key, log_key, operations_key, finals_key, metadata_key, timeline_key, submissions_key,
  expiry_key, overdue_key, presence_key, leases_key, ledger_key, entries_key, account_key,
  deadlines_key = unpack(KEYS)
local pubsub_prefix, fan_out, replica, channel, id, correlation_id, traceparent, tracestate, status, reported_progress,
  operation_json, received_at, versions_kept, overdue_after, first_outcome = unpack(ARGV)

local state_keys =
  {meta = meta_key, log = log_key, operations = operations_key, finals = finals_key, expiry = expiry_key}
local epoch, swept, stalled, stored_position = unpack(redis.call('HMGET', meta_key, 'epoch', 'swept', 'stalled',
  position_field(channel)))
if not epoch then
  return {'no_epoch'}
end
record_term()
local clock = ledger_clock(swept, stalled)
local head, lowest, found_heads = checked_position(state_keys, channel, stored_position)

-- The number of subscribers that get a message.
local function send(pubsub_channel, envelope)
  return redis.call('SPUBLISH', pubsub_prefix .. pubsub_channel, envelope)
end

-- Sends an update to the inbox of each process that owns a stream; returns whether each one has a subscriber.
local function send_to_owners(owners, envelope)
  local sent, all = {}, true
  for _, owner in ipairs(owners) do
    local process = process_of(owner)
    if not sent[process] then
      sent[process] = true
      all = send('inbox:' .. process, envelope) > 0 and all
    end
  end
  return all
end

-- Publishes an update, after everything else is stored: a failed publication must leave a complete change. Records it in
-- the timeline, unless the fan-out is local-only. A subscriber proves nothing; without one, an owner gets no message.
--
-- Returns audience, no_audience, no_subscriber; or local_only
local function publish(update)
  if fan_out == 'local-only' then
    return 'local_only'
  end
  local heard
  if fan_out == 'broadcast' then
    heard = send('updates', update.envelope) > 0 or #update.owners == 0
  else
    heard = send_to_owners(update.owners, update.envelope)
  end
  local outcome = #update.owners == 0 and 'no_audience' or heard and 'audience' or 'no_subscriber'
  redis.call('HSET', timeline_key, update.version,
    update.hops .. string.format('published\t%d\t%s\t%s\n', micros, replica, outcome))
  return outcome
end

-- Stores an update of the operation, with the deliveries that are expected of the channel's owners.
--
-- floor  sequence of an operation that was deleted to make room; nil for none
-- Returns what publish needs: version, owners, envelope and hops
local function store(hop, version, revision, acked, progress, floor)
  local sequence = head + 1

  local owners = {}
  for _, incarnation in ipairs(redis.call('HKEYS', presence_key)) do
    if alive(leases_key, incarnation, clock) then
      owners[#owners + 1] = incarnation
    end
  end

  local envelope = table.concat({'5', table.concat(owners, ','), channel, id, epoch, term,
    string.format('%d', sequence), string.format('%d', version), correlation_id, traceparent, tracestate,
    string.format('%d', micros)}, '\t') .. '\n' .. operation_json .. string.format(',"progress":%s,"version":%d', progress, version)

  store_position(state_keys, channel, sequence, math.max(lowest, floor or 0),
    with_found(state_keys, found_heads, head))
  redis.call('ZADD', log_key, sequence, id)
  redis.call('HSET', operations_key, id, string.format('%d %d %d %s %s %s %s', version, sequence, revision,
    status, acked, progress, correlation_id), id .. ':e', envelope)

  for _, owner in ipairs(owners) do
    local entry = string.format('%s:%d:%s', channel, sequence, owner)
    redis.call('ZADD', ledger_key, string.format('%d', clock), entry)
    redis.call('HSET', entries_key, entry, string.format('%d %s %d %s %s %s', micros, id, version, correlation_id,
      traceparent, term))
    redis.call('HINCRBY', account_key, replica_of(owner) .. ' expected', 1)
  end

  local received = tonumber(received_at)
  local hops = string.format('%s\t%d\t%s\t%s\t%s\n', hop, received > 0 and received or micros, replica,
    first_outcome, traceparent)
  redis.call('HSET', timeline_key, version, hops)
  redis.call('HDEL', timeline_key, version - tonumber(versions_kept))
  return {version = version, owners = owners, envelope = envelope, hops = hops}
end
