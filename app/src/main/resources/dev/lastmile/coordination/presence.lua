-- Announces or withdraws that an incarnation holds connections of a channel.
--
-- KEYS  1 meta  2 leases (see lease.lua)  3 presence: hash, incarnation -> generation
--       4 channels: set of the channels that the incarnation has announced
-- ARGV  1 incarnation  2 mode: announce, withdraw  3 channel  4 generation, rising: a late withdrawal
--       of an older one does not take a newer one away
-- Returns {'done'}, or {'lost'} if the lease has ended
local incarnation = ARGV[1]
local stored = redis.call('HGET', KEYS[3], incarnation)
if ARGV[2] == 'withdraw' then
  if stored and tonumber(stored) <= tonumber(ARGV[4]) then
    redis.call('HDEL', KEYS[3], incarnation)
    redis.call('SREM', KEYS[4], ARGV[3])
  end
  return {'done'}
end
local swept, stalled = unpack(redis.call('HMGET', KEYS[1], 'swept', 'stalled'))
if not alive(KEYS[2], incarnation, ledger_clock(swept, stalled)) then
  return {'lost'}
end
if not stored or tonumber(stored) < tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[3], incarnation, ARGV[4])
  redis.call('SADD', KEYS[4], ARGV[3])
end
return {'done'}
