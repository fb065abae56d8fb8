-- Takes a batch of acks of one channel: all or none.
--
-- An ack of version v covers every version up to v; the first one counts, others are duplicates.
-- KEYS  1 operations (see apply.lua), then the timeline of each ack's operation
-- ARGV  1 replica, then for each ack: operation id, version, via
-- Returns {'ok', then for each ack: versions newly covered, correlation id}, or {'unknown' or 'ahead', index from 1}
local count = #KEYS - 1
local states = {}
for i = 1, count do
  local id, version = ARGV[i * 3 - 1], tonumber(ARGV[i * 3])
  local state = redis.call('HGET', KEYS[1], id)
  if not state then
    return {'unknown', i}
  end
  if version > tonumber(string.match(state, '^%d+')) then
    return {'ahead', i}
  end
end
local time = redis.call('TIME')
local result = {'ok'}
for i = 1, count do
  local id, version, via = ARGV[i * 3 - 1], tonumber(ARGV[i * 3]), ARGV[i * 3 + 1]
  local state = redis.call('HGET', KEYS[1], id)
  local front, acked, back, correlation = string.match(state, '^(%d+ %d+ %d+ %u+ )(%d+)( %d+ (.*))$')
  local covered = math.max(0, version - tonumber(acked))
  result[i * 2] = covered
  result[i * 2 + 1] = correlation
  if covered > 0 then
    redis.call('HSET', KEYS[1], id, front .. string.format('%d', version) .. back)
    local hops = redis.call('HGET', KEYS[i + 1], version)
    if hops then
      redis.call('HSET', KEYS[i + 1], version, hops .. string.format('client_acked\t%d\t%s\t%s\n',
        time[1] * 1000000 + time[2], ARGV[1], via))
    end
  end
end
return result
