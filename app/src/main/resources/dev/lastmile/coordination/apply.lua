-- Creates an operation or stores a change of it, and publishes the update: one atomic step.
--
-- State, sequence, timeline, retention and publication are written here and nowhere else.
-- Presence is read, and the ledger and the account are written, between "sequence" and "publish".
--
-- KEYS  all in one partition
--   1 meta         hash    epoch, run, trimmed (highest head of a deleted channel)
--   2 channel      hash    head, floor
--   3 log          zset    operation id -> sequence of its newest update
--   4 operations   hash    id -> "version sequence revision status acked progress
--                          correlationId",
--                          id:e -> envelope of the newest update
--   5 finals       zset    operation id -> ms when its status became final
--   6 pointer      hash    what never changes of the operation, and its job until accepted
--   7 timeline     hash    version -> lines of hops
--   8 submissions  zset    operation id -> ms when it is to be submitted again
--   9 expiry       zset    channel -> ms when its oldest final operation may be deleted
--  10 idempotency  string  "operationId fingerprint" (creation only)
-- ARGV
--   1 mode: create, change      2 topic    3 publish: 1, 0       4 replica   5 channel  6 operation id
--   7 correlation id  8 traceparent  9 tracestate  10 status  11 revision ('' = ours)  12 progress or ''
--  13 body: JSON object of the operation, open at its end  14 received at, us (0 = now)  15 retention, ms
--  16 versions kept in the timeline
--   creation: 17 most operations  18 fingerprint or ''  19 idempotency ttl, ms  20 submit again after, ms
--             21 kind  22 job
-- Returns {outcome, envelope}; the envelope only of what was created, or was stored and not published
local mode, id = ARGV[1], ARGV[6]
local create = mode == 'create'
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local millis = math.floor(micros / 1000)

local epoch, trimmed = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'trimmed'))
if not epoch then
  return {'no_epoch'}
end

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
  if ARGV[18] ~= '' then
    local prior = redis.call('GET', KEYS[10])
    if prior then
      local operation, fingerprint = string.match(prior, '^(%S+) (%S+)$')
      if fingerprint ~= ARGV[18] then
        return {'conflict'}
      end
      return {stored(operation) and 'repeated' or 'gone', operation}
    end
  end
  if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[17]) then
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
    -- It answered, so it has the job.
    redis.call('ZREM', KEYS[8], id)
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
local cursor = string.format('%s-%d', epoch, sequence)
local body = string.format('%s,"progress":%s,"version":%d,"updatedAt":"%s"', ARGV[13], progress,
  version, now)
local envelope = table.concat({'1', '', ARGV[5], id, epoch, string.format('%d', sequence),
  string.format('%d', version), ARGV[7], ARGV[8], ARGV[9], string.format('%d', micros),
  string.format('%d', #body)}, '\t')
  .. '\n' .. body .. string.format(',"cursor":"%s","traceparent":"%s","publishedAt":"%s"}', cursor,
  ARGV[8], now)

redis.call('HSET', KEYS[2], 'head', string.format('%d', sequence), 'floor',
  string.format('%d', math.max(lowest, floor or 0)))
redis.call('ZADD', KEYS[3], sequence, id)
redis.call('HSET', KEYS[4], id, string.format('%d %d %d %s %s %s %s', version, sequence, revision,
  ARGV[10], acked, progress, ARGV[7]), id .. ':e', envelope)

-- timeline
local received = tonumber(ARGV[14])
local first = string.format('%s\t%d\t%s\t%s\n', create and 'initiated' or 'callback',
  received > 0 and received or micros, ARGV[4], create and 'created'
  or (ARGV[11] == '' and 'external_failed' or 'stored'))
redis.call('HSET', KEYS[7], version, first ..
  (ARGV[3] == '1' and string.format('published\t%d\t%s\t\n', micros, ARGV[4]) or ''))
redis.call('HDEL', KEYS[7], version - tonumber(ARGV[16]))

-- retention
local retention = tonumber(ARGV[15])
if create then
  redis.call('HSET', KEYS[6], 'channel', ARGV[5], 'kind', ARGV[21], 'correlationId', ARGV[7],
    'traceparent', ARGV[8], 'tracestate', ARGV[9], 'createdAt', string.format('%d', millis),
    'job', ARGV[22])
  redis.call('ZADD', KEYS[8], millis + tonumber(ARGV[20]), id)
  if ARGV[18] ~= '' then
    redis.call('SET', KEYS[10], id .. ' ' .. ARGV[18], 'PX', ARGV[19])
  end
elseif ARGV[11] ~= '' then
  redis.call('HDEL', KEYS[6], 'job')
end
if final(ARGV[10]) then
  redis.call('ZREM', KEYS[8], id)
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
  return {'created', envelope}
end
return {'stored', not publish and envelope or nil}
