-- The account of one partition at one instant.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 account (see apply.lua)
-- Returns {when its epoch began, s, run_id of the Redis process that began it, outstanding, age of the oldest outstanding, ms,
--   counter, value, ...}; {} without an epoch
local epoch, run, begun, swept, stalled = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'run', 'begun', 'swept', 'stalled'))
if not epoch then
  return {}
end
local clock = ledger_clock(swept, stalled)
local oldest = clock
for i = 2, 3 do
  local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  oldest = math.min(oldest, tonumber(first or clock))
end
local result = {begun or '0', run or '', redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]), clock - oldest}
local fields = redis.call('HGETALL', KEYS[4])
for i = 1, #fields, 2 do
  if not string.match(fields[i], ' gone$') then
    result[#result + 1] = fields[i]
    result[#result + 1] = fields[i + 1]
  end
end
return result
