-- Removes what an incarnation whose lease has ended has left behind, a part at a time, and then its lease.
--
-- KEYS  1 meta  2 leases (see lease.lua)  3 channels (see presence.lua)  4 account (see retire.lua)
--       then the presence of some of these channels
-- ARGV  1 incarnation, then these channels
-- Returns {'alive'}, {'more'}, {'gone'} or, if it ended without a goodbye and this call removed it, {'lost'}
local swept, stalled = unpack(redis.call('HMGET', KEYS[1], 'swept', 'stalled'))
local incarnation = ARGV[1]
if alive(KEYS[2], incarnation, ledger_clock(swept, stalled)) then
  return {'alive'}
end
for i = 5, #KEYS do
  redis.call('HDEL', KEYS[i], incarnation)
  redis.call('SREM', KEYS[3], ARGV[i - 3])
end
if redis.call('SCARD', KEYS[3]) > 0 then
  return {'more'}
end
local ended = redis.call('ZSCORE', KEYS[2], incarnation)
redis.call('ZREM', KEYS[2], incarnation)
local replica = replica_of(incarnation)
if redis.call('HEXISTS', KEYS[4], replica .. ' expected') == 1 then
  redis.call('HSET', KEYS[4], replica .. ' gone', string.format('%d', millis))
end
return {ended and tonumber(ended) > 0 and 'lost' or 'gone'}
