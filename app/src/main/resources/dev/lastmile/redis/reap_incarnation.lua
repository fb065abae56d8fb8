-- Removes the presence of an incarnation whose lease has ended, in parts, and then its lease.
--
-- KEYS  1 meta  2 leases (see lease.lua)  3 channels (see presence.lua)  4 account (see delete_replica_totals.lua)
--       then the presence of some of these channels
-- ARGV  1 incarnation, then these channels
-- Returns {'alive'}, {'more'}, {'gone'}, or {'lost'} if the lease was not released and this call removed it
local meta_key, leases_key, channels_key, account_key = unpack(KEYS, 1, 4)
local incarnation = ARGV[1]
local swept, stalled = unpack(redis.call('HMGET', meta_key, 'swept', 'stalled'))
if alive(leases_key, incarnation, ledger_clock(swept, stalled)) then
  return {'alive'}
end
for i = 5, #KEYS - 1 do
  redis.call('HDEL', KEYS[i], incarnation)
  redis.call('SREM', channels_key, ARGV[i - 3])
end
if redis.call('SCARD', channels_key) > 0 then
  return {'more'}
end
local ended = redis.call('ZSCORE', leases_key, incarnation)
redis.call('ZREM', leases_key, incarnation)
local replica = replica_of(incarnation)
if redis.call('HEXISTS', account_key, replica .. ' expected') == 1 then
  redis.call('HSET', account_key, replica .. ' gone', string.format('%d', millis))
end
return {ended and tonumber(ended) > 0 and 'lost' or 'gone'}
