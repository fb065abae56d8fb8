-- Announces or withdraws that an incarnation holds streams of a channel.
--
-- KEYS  1 meta  2 leases (see lease.lua)  3 presence: hash, incarnation -> generation
--       4 channels: set of the channels that the incarnation has announced
-- ARGV  1 incarnation  2 mode: announce, withdraw  3 channel  4 generation, increasing: a late withdrawal of an older
--       generation does not remove a newer one
-- Returns {'done'}, or {'lost'} if the lease has ended
local meta_key, leases_key, presence_key, channels_key = unpack(KEYS)
local incarnation, mode, channel, generation = unpack(ARGV)
local stored = redis.call('HGET', presence_key, incarnation)
if mode == 'withdraw' then
  if stored and tonumber(stored) <= tonumber(generation) then
    redis.call('HDEL', presence_key, incarnation)
    redis.call('SREM', channels_key, channel)
  end
  return {'done'}
end
local swept, stalled = unpack(redis.call('HMGET', meta_key, 'swept', 'stalled'))
if not alive(leases_key, incarnation, ledger_clock(swept, stalled)) then
  return {'lost'}
end
if not stored or tonumber(stored) < tonumber(generation) then
  redis.call('HSET', presence_key, incarnation, generation)
  redis.call('SADD', channels_key, channel)
end
return {'done'}
