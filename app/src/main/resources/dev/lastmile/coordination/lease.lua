-- Takes, renews or gives up the lease of an incarnation in one partition.
--
-- A lease that has ended cannot be renewed, only another incarnation can be taken: what was expected of
-- the old one has been, or will be, settled as gone.
-- KEYS  1 meta  2 leases: zset, incarnation -> end on the ledger's clock, ms; 0 = said goodbye
--       3 account (see apply.lua)  4 hearing: zset as leases, of those that hear their canary (one partition only)
-- ARGV  1 incarnation  2 mode: take, renew, leave  3 length, ms  4 hears: 1, 0  then every counter of the account
-- Returns {'held', how many others hear} or {'left'}, {'lost'}, {'no_epoch'}
local epoch, swept, stalled = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'swept', 'stalled'))
if not epoch then
  return {'no_epoch'}
end
local clock = ledger_clock(swept, stalled)
local incarnation, mode = ARGV[1], ARGV[2]
if mode == 'leave' then
  -- One that has ended stays as it is, and counts as lost; one that is not there is still to be collected.
  if not redis.call('ZSCORE', KEYS[2], incarnation) or alive(KEYS[2], incarnation, clock) then
    redis.call('ZADD', KEYS[2], 0, incarnation)
  end
  if KEYS[4] then
    redis.call('ZREM', KEYS[4], incarnation)
  end
  return {'left'}
end
if mode == 'renew' and not alive(KEYS[2], incarnation, clock) then
  return {'lost'}
end
local ends = string.format('%d', clock + tonumber(ARGV[3]))
redis.call('ZADD', KEYS[2], ends, incarnation)
if mode == 'take' then
  redis.call('HDEL', KEYS[3], replica_of(incarnation) .. ' gone')
  for i = 5, #ARGV do
    redis.call('HSETNX', KEYS[3], replica_of(incarnation) .. ' ' .. ARGV[i], 0)
  end
end
local others = 0
if KEYS[4] then
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%d', clock))
  redis.call('ZREM', KEYS[4], incarnation)
  others = redis.call('ZCARD', KEYS[4])
  if ARGV[4] == '1' then
    redis.call('ZADD', KEYS[4], ends, incarnation)
  end
end
return {'held', others}
