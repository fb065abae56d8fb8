-- Deletes final operations of a channel whose retention time has passed, and the channel when no operation is left.
--
-- The pointers and timelines of these operations expire by their own time to live.
-- KEYS  1 meta  2 channel  3 log  4 operations  5 finals  6 expiry (see update.lua)
-- ARGV  1 channel  2 retention, ms  3 maximum number of operations
-- Returns {number of operations deleted}
local meta_key, channel_key, log_key, operations_key, finals_key, expiry_key = unpack(KEYS)
local channel, retention_millis, limit = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local retention = tonumber(retention_millis)
local due = redis.call('ZRANGEBYSCORE', finals_key, 0, now - retention, 'LIMIT', 0, limit)
local floor = 0
for _, id in ipairs(due) do
  floor = math.max(floor, tonumber(redis.call('ZSCORE', log_key, id) or 0))
  redis.call('HDEL', operations_key, id, id .. ':e')
  redis.call('ZREM', log_key, id)
  redis.call('ZREM', finals_key, id)
end
if #due > 0 then
  local stored = tonumber(redis.call('HGET', channel_key, 'floor') or 0)
  redis.call('HSET', channel_key, 'floor', string.format('%d', math.max(stored, floor)))
end
if redis.call('ZCARD', log_key) == 0 then
  -- A new channel continues above this head, so that no old cursor is valid for it by chance.
  local head = tonumber(redis.call('HGET', channel_key, 'head') or 0)
  local trimmed = tonumber(redis.call('HGET', meta_key, 'trimmed') or 0)
  redis.call('HSET', meta_key, 'trimmed', string.format('%d', math.max(head, trimmed)))
  redis.call('DEL', channel_key, log_key, operations_key, finals_key)
  redis.call('ZREM', expiry_key, channel)
else
  local oldest = redis.call('ZRANGE', finals_key, 0, 0, 'WITHSCORES')[2]
  if oldest then
    redis.call('ZADD', expiry_key, tonumber(oldest) + retention, channel)
  else
    redis.call('ZREM', expiry_key, channel)
  end
end
return {#due}
