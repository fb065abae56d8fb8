-- Deletes final operations of a channel whose time is over, and the channel when nothing is left.
--
-- The pointers and timelines of these operations end by their own time to live.
-- KEYS  1 meta  2 channel  3 log  4 operations  5 finals  6 expiry (see apply.lua)
-- ARGV  1 channel  2 retention, ms  3 most operations
-- Returns {number of operations deleted}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local retention = tonumber(ARGV[2])
local due = redis.call('ZRANGEBYSCORE', KEYS[5], 0, now - retention, 'LIMIT', 0, ARGV[3])
local floor = 0
for _, id in ipairs(due) do
  floor = math.max(floor, tonumber(redis.call('ZSCORE', KEYS[3], id) or 0))
  redis.call('HDEL', KEYS[4], id, id .. ':e')
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZREM', KEYS[5], id)
end
if #due > 0 then
  local stored = tonumber(redis.call('HGET', KEYS[2], 'floor') or 0)
  redis.call('HSET', KEYS[2], 'floor', string.format('%d', math.max(stored, floor)))
end
if redis.call('ZCARD', KEYS[3]) == 0 then
  -- A channel that starts anew goes on above this, so that no old cursor fits it by chance.
  local head = tonumber(redis.call('HGET', KEYS[2], 'head') or 0)
  local trimmed = tonumber(redis.call('HGET', KEYS[1], 'trimmed') or 0)
  redis.call('HSET', KEYS[1], 'trimmed', string.format('%d', math.max(head, trimmed)))
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  redis.call('ZREM', KEYS[6], ARGV[1])
else
  local oldest = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')[2]
  if oldest then
    redis.call('ZADD', KEYS[6], tonumber(oldest) + retention, ARGV[1])
  else
    redis.call('ZREM', KEYS[6], ARGV[1])
  end
end
return {#due}
