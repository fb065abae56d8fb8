-- Creates an operation or stores a change of it, and publishes the update: one atomic step.
--
-- State, sequence, timeline, retention, expected deliveries and publication are written here and nowhere else.
--
-- KEYS  all in one partition
--   1 meta         hash    epoch, run, begun (s), trimmed (highest head of a deleted channel), swept and stalled
--                          (see clock.lua)
--   2 channel      hash    head, floor
--   3 log          zset    operation id -> sequence of its newest update
--   4 operations   hash    id -> "version sequence revision status acked progress
--                          correlationId",
--                          id:e -> envelope of the newest update
--   5 finals       zset    operation id -> ms when its status became final
--   6 pointer      hash    what never changes of the operation, and its job until accepted
--   7 timeline     hash    version -> lines of hops: "hop at replica outcome", of the first one also the
--                          traceparent of the publication
--   8 submissions  zset    operation id -> ms when it is to be submitted again
--   9 expiry       zset    channel -> ms when its oldest final operation may be deleted
--  10 overdue      zset    operation id -> ms when the external system has been silent for too long
--  11 presence     hash    incarnation -> generation
--  12 leases       zset    incarnation -> its end (see lease.lua)
--  13 ledger       zset    deliveries not settled, "channel:sequence:incarnation" -> published at, ms on
--                          the ledger's clock; those that were asked for again are in the zset
--                          redelivered instead
--  14 entries      hash    such a delivery -> "publishedAtMicros operationId version correlationId traceparent"
--  15 account      hash    "replica counter" -> total of this epoch
--  16 idempotency  string  "operationId fingerprint" (creation only)
-- ARGV
--   1 mode: create, change      2 topic    3 publish: 1, 0       4 replica   5 channel  6 operation id
--   7 correlation id  8 traceparent and  9 tracestate of the publication  10 status  11 revision ('' = ours)  12 progress or ''
--  13 body: JSON object of the operation, open at its end  14 received at, us (0 = now)  15 retention, ms
--  16 versions kept in the timeline  17 overdue after, ms  18 outcome of the timeline's first hop
--   creation: 19 most operations  20 fingerprint or ''  21 idempotency ttl, ms  22 submit again after, ms
--             23 kind  24 job  25 traceparent and  26 tracestate of the creation
-- Returns {outcome} or {'created' or 'stored', number of owners, version, envelope}; the envelope only of what was
--   created, or was stored and not published
local mode, id = ARGV[1], ARGV[6]
local create = mode == 'create'

local epoch, trimmed, swept, stalled = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'trimmed', 'swept',
  'stalled'))
if not epoch then
  return {'no_epoch'}
end
local clock = ledger_clock(swept, stalled)

local function stored(operation)
  local state = redis.call('HGET', KEYS[4], operation)
  if not state then
    return nil
  end
  local v, r, st, a, p = string.match(state, '^(%d+) %d+ (%d+) (%u+) (%d+) (%d+) ')
  return {version = tonumber(v), revision = tonumber(r), status = st, acked = a, progress = p}
end

local function final(status)
  return status == 'SUCCEEDED' or status == 'FAILED'
end

local state = stored(id)
local floor
local revision = ARGV[11]
if create then
  if ARGV[20] ~= '' then
    local prior = redis.call('GET', KEYS[16])
    if prior then
      local operation, fingerprint = string.match(prior, '^(%S+) (%S+)$')
      if fingerprint ~= ARGV[20] then
        return {'conflict'}
      end
      return {stored(operation) and 'repeated' or 'gone', operation}
    end
  end
  if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[19]) then
    local oldest = redis.call('ZRANGE', KEYS[5], 0, 0)[1]
    if not oldest then
      return {'full'}
    end
    floor = tonumber(redis.call('ZSCORE', KEYS[3], oldest))
    redis.call('HDEL', KEYS[4], oldest, oldest .. ':e')
    redis.call('ZREM', KEYS[3], oldest)
    redis.call('ZREM', KEYS[5], oldest)
  end
  revision = 0
else
  if not state then
    return {'unknown'}
  end
  if revision == '' then
    if state.revision > 0 then
      -- We wanted to give up, but the external system has reported meanwhile.
      return {'stale'}
    end
    revision = state.revision
  else
    -- It answered, so it has the job, and is not silent.
    redis.call('ZREM', KEYS[8], id)
    if not final(state.status) then
      redis.call('ZADD', KEYS[10], millis + tonumber(ARGV[17]), id)
    end
    revision = tonumber(revision)
    if revision == state.revision then
      return {'duplicate'}
    elseif revision < state.revision then
      return {'stale'}
    end
  end
  if final(state.status) then
    return {'final'}
  end
end

-- ISO 8601 of the Redis time; civil date from days by Hinnant's algorithm.
local function iso()
  local days = math.floor(time[1] / 86400)
  local second = time[1] % 86400
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524)
    - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    math.floor(second / 3600), math.floor(second / 60) % 60, second % 60, millis % 1000)
end

-- sequence
local head, lowest = unpack(redis.call('HMGET', KEYS[2], 'head', 'floor'))
head = tonumber(head or trimmed or 0)
lowest = tonumber(lowest or trimmed or 0)
local sequence = head + 1
local version = (state and state.version or 0) + 1
local acked = state and state.acked or '0'
local progress = ARGV[12]
if progress == '' then
  progress = state and state.progress or '0'
end
local now = iso()

-- presence
local owners = {}
for _, incarnation in ipairs(redis.call('HKEYS', KEYS[11])) do
  if alive(KEYS[12], incarnation, clock) then
    owners[#owners + 1] = incarnation
  end
end

local cursor = string.format('%s-%d', epoch, sequence)
local body = string.format('%s,"progress":%s,"version":%d,"updatedAt":"%s"', ARGV[13], progress,
  version, now)
local envelope = table.concat({'1', table.concat(owners, ','), ARGV[5], id, epoch, string.format('%d', sequence),
  string.format('%d', version), ARGV[7], ARGV[8], ARGV[9], string.format('%d', micros),
  string.format('%d', #body)}, '\t')
  .. '\n' .. body .. string.format(',"cursor":"%s","traceparent":"%s","publishedAt":"%s"}', cursor,
  ARGV[8], now)

redis.call('HSET', KEYS[2], 'head', string.format('%d', sequence), 'floor',
  string.format('%d', math.max(lowest, floor or 0)))
redis.call('ZADD', KEYS[3], sequence, id)
redis.call('HSET', KEYS[4], id, string.format('%d %d %d %s %s %s %s', version, sequence, revision,
  ARGV[10], acked, progress, ARGV[7]), id .. ':e', envelope)

-- ledger and account
for _, owner in ipairs(owners) do
  local entry = string.format('%s:%d:%s', ARGV[5], sequence, owner)
  redis.call('ZADD', KEYS[13], string.format('%d', clock), entry)
  redis.call('HSET', KEYS[14], entry, string.format('%d %s %d %s %s', micros, id, version, ARGV[7],
    ARGV[8]))
  redis.call('HINCRBY', KEYS[15], replica_of(owner) .. ' expected', 1)
end

-- timeline
local received = tonumber(ARGV[14])
local first = string.format('%s\t%d\t%s\t%s\t%s\n', create and 'initiated' or 'callback',
  received > 0 and received or micros, ARGV[4], ARGV[18], ARGV[8])
redis.call('HSET', KEYS[7], version, first .. (ARGV[3] == '1' and string.format(
  'published\t%d\t%s\t%s\n', micros, ARGV[4], #owners > 0 and 'audience' or 'no_audience') or ''))
redis.call('HDEL', KEYS[7], version - tonumber(ARGV[16]))

-- retention
local retention = tonumber(ARGV[15])
if create then
  redis.call('HSET', KEYS[6], 'channel', ARGV[5], 'kind', ARGV[23], 'correlationId', ARGV[7],
    'traceparent', ARGV[25], 'tracestate', ARGV[26], 'createdAt', string.format('%d', millis),
    'job', ARGV[24])
  redis.call('ZADD', KEYS[8], millis + tonumber(ARGV[22]), id)
  redis.call('ZADD', KEYS[10], millis + tonumber(ARGV[17]), id)
  if ARGV[20] ~= '' then
    redis.call('SET', KEYS[16], id .. ' ' .. ARGV[20], 'PX', ARGV[21])
  end
elseif ARGV[11] ~= '' then
  redis.call('HDEL', KEYS[6], 'job')
end
if final(ARGV[10]) then
  redis.call('ZREM', KEYS[8], id)
  redis.call('ZREM', KEYS[10], id)
  redis.call('HDEL', KEYS[6], 'job')
  redis.call('ZADD', KEYS[5], millis, id)
  redis.call('ZADD', KEYS[9], 'NX', millis + retention, ARGV[5])
  redis.call('PEXPIRE', KEYS[6], retention)
  redis.call('PEXPIRE', KEYS[7], retention)
end

-- publish
local publish = ARGV[3] == '1'
if publish then
  redis.call('PUBLISH', ARGV[2], envelope)
end
if create then
  return {'created', #owners, version, envelope}
end
return {'stored', #owners, version, not publish and envelope or nil}
