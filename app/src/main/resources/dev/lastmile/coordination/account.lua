-- The account of one partition at one instant.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 account (see apply.lua)
-- Returns {epoch, outstanding, age of the oldest outstanding, ms, counter, value, ...}; {} without an epoch
local epoch, swept, stalled = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'swept', 'stalled'))
if not epoch then
  return {}
end
local clock = ledger_clock(swept, stalled)
local oldest = clock
for i = 2, 3 do
  local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  oldest = math.min(oldest, tonumber(first or clock))
end
local result = {epoch, redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]), clock - oldest}
for _, item in ipairs(redis.call('HGETALL', KEYS[4])) do
  result[#result + 1] = item
end
return result
