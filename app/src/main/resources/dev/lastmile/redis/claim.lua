-- Claims operations that are due: to submit them again, to poll them, or to end them.
--
-- KEYS  1 submissions, overdue or deadlines (see update.lua)
-- ARGV  1 lease, ms: time for which no other replica can claim them  2 maximum number of operations
-- Returns their ids
local due_key = KEYS[1]
local lease, limit = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', due_key, 0, now, 'LIMIT', 0, limit)
for _, id in ipairs(ids) do
  redis.call('ZADD', due_key, now + tonumber(lease), id)
end
return ids
