-- Claims operations whose time has come: to be submitted again, or to be asked for.
--
-- KEYS  1 submissions or overdue (see apply.lua)
-- ARGV  1 lease, ms: how long nobody else gets them  2 most operations
-- Returns their ids
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], 0, now, 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), id)
end
return ids
