-- Stores a batch of acks of one channel: all or none.
--
-- An ack of version v covers every version up to v. The first ack of a version counts, others are duplicates.
-- KEYS  1 operations (see update.lua), then the timeline and the pointer of each ack's operation
-- ARGV  1 replica, then for each ack: operation id, version, via
-- Returns {'ok', now (us), then for each ack: versions newly covered, correlation id, time of the operation's
--   creation (ms) if a final version is newly covered or '0', a line "version publishedAtMicros traceparent" for
--   each version covered or, for a duplicate, for its own}, or {'unknown' or 'ahead', index from 1}
local operations_key, replica = KEYS[1], ARGV[1]
local MAX_LINES = 64
local count = (#KEYS - 2) / 2
for i = 1, count do
  local id, version = ARGV[i * 3 - 1], tonumber(ARGV[i * 3])
  local state = redis.call('HGET', operations_key, id)
  if not state then
    return {'unknown', i}
  end
  if version > tonumber(string.match(state, '^%d+')) then
    return {'ahead', i}
  end
end

local function publications(timeline_key, first, last)
  local lines = {}
  for version = math.max(first, last - MAX_LINES + 1), last do
    local hops = redis.call('HGET', timeline_key, string.format('%d', version))
    local traceparent = hops and string.match(hops, '^[^\n]*\t([^\t\n]+)\n')
    if traceparent then
      lines[#lines + 1] = string.format('%d %s %s', version, string.match(hops, '\npublished\t(%d+)') or '0',
        traceparent)
    end
  end
  return table.concat(lines, '\n')
end

local time = redis.call('TIME')
local now = string.format('%d', time[1] * 1000000 + time[2])
local result = {'ok', now}
for i = 1, count do
  local id, version, via = ARGV[i * 3 - 1], tonumber(ARGV[i * 3]), ARGV[i * 3 + 1]
  local timeline_key, metadata_key = KEYS[i * 2], KEYS[i * 2 + 1]
  local state = redis.call('HGET', operations_key, id)
  local front, acked, back, correlation = string.match(state, '^(%d+ %d+ %d+ %u+ )(%d+)( %d+ (.*))$')
  acked = tonumber(acked)
  local covered = math.max(0, version - acked)
  local created = '0'
  if covered > 0 then
    redis.call('HSET', operations_key, id, front .. string.format('%d', version) .. back)
    local newest, status = string.match(front, '^(%d+) %d+ %d+ (%u+) $')
    if tonumber(newest) == version and (status == 'SUCCEEDED' or status == 'FAILED') then
      created = redis.call('HGET', metadata_key, 'createdAt') or '0'
    end
  end
  result[#result + 1] = covered
  result[#result + 1] = correlation
  result[#result + 1] = created
  result[#result + 1] = publications(timeline_key, covered > 0 and acked + 1 or version, version)
  local hops = covered > 0 and redis.call('HGET', timeline_key, string.format('%d', version))
  if hops then
    redis.call('HSET', timeline_key, string.format('%d', version), hops .. string.format('client_acked\t%s\t%s\t%s\n',
      now, replica, via))
  end
end
return result
