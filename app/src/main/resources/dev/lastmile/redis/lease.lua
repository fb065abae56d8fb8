-- Takes, renews or releases the lease of an incarnation in one partition.
--
-- A lease that has ended cannot be renewed; the replica must take another incarnation. The deliveries of the old
-- incarnation are, or will be, settled as owner_gone.
-- KEYS  1 meta  2 leases: zset, incarnation -> end on the ledger's clock, ms; 0 = released
--       3 account (see update.lua)
--       4 `hearing`: zset as leases, of incarnations that receive their canary (one partition only)
-- ARGV  1 incarnation  2 mode: take, renew, leave  3 length, ms  4 receiving: 1, 0
--       5 whether it wants to sweep the partition: 1, 0  6 time without a sweep after which another replica sweeps, ms
--       7 age of a renewal up to which its incarnation is counted, ms  8 whether it reaches every primary: 1, 0
--       then every counter of the account
-- Returns {'held', number of other incarnations that receive, 1 if this one sweeps the partition, number of incarnations
--   that renewed lately, term} or {'left'}, {'lost'}, {'no_epoch'}
--
-- One incarnation sweeps the partition for all: the first one that wants to, until it gives the partition back. Without
-- sweeps for a while, the next one sweeps it, whether it wants to or not: the lease of a dead one does not end before,
-- because the ledger's clock stands still. If the holder does not reach every primary, one that does takes over: the
-- holder of the first partition reads the totals of all.
local meta_key, leases_key, account_key = unpack(KEYS)
local receiving_key = #KEYS > 4 and KEYS[4]
local incarnation, mode, length, receiving, wants, silence, recent, reaches_all = unpack(ARGV)
local epoch, swept, stalled, sweeper, sweeper_since, cut_off = unpack(redis.call('HMGET', meta_key, 'epoch', 'swept',
  'stalled', 'sweeper', 'sweeperSince', 'sweeperCutOff'))
if not epoch then
  return {'no_epoch'}
end
record_term()
local clock = ledger_clock(swept, stalled)
if mode == 'leave' then
  -- A lease that has ended stays and counts as lost. A lease that does not exist is added, so that the sweep finds it.
  if not redis.call('ZSCORE', leases_key, incarnation) or alive(leases_key, incarnation, clock) then
    redis.call('ZADD', leases_key, 0, incarnation)
  end
  if receiving_key then
    redis.call('ZREM', receiving_key, incarnation)
  end
  if sweeper == incarnation then
    redis.call('HDEL', meta_key, 'sweeper')
  end
  return {'left'}
end
if mode == 'renew' and not alive(leases_key, incarnation, clock) then
  return {'lost'}
end
local ends = string.format('%d', clock + tonumber(length))
redis.call('ZADD', leases_key, ends, incarnation)
if mode == 'take' then
  redis.call('HDEL', account_key, replica_of(incarnation) .. ' gone')
  for i = 9, #ARGV do
    redis.call('HSETNX', account_key, replica_of(incarnation) .. ' ' .. ARGV[i], 0)
  end
end
local others = 0
if receiving_key then
  redis.call('ZREMRANGEBYSCORE', receiving_key, '-inf', string.format('%d', clock))
  redis.call('ZREM', receiving_key, incarnation)
  others = redis.call('ZCARD', receiving_key)
  if receiving == '1' then
    redis.call('ZADD', receiving_key, ends, incarnation)
  end
end
local sweeps = sweeper == incarnation
if sweeps and wants ~= '1' then
  redis.call('HDEL', meta_key, 'sweeper')
  sweeps = false
elseif not sweeps then
  local seen = math.max(tonumber(swept or 0), tonumber(sweeper_since or 0))
  local silent = math.abs(millis - seen) > tonumber(silence)
  if silent or (not sweeper and wants == '1') or (cut_off and reaches_all == '1') then
    redis.call('HSET', meta_key, 'sweeper', incarnation, 'sweeperSince', string.format('%d', millis))
    sweeps = true
  end
end
if sweeps and reaches_all ~= '1' then
  redis.call('HSET', meta_key, 'sweeperCutOff', 1)
elseif sweeps and cut_off then
  redis.call('HDEL', meta_key, 'sweeperCutOff')
end
local renewed = string.format('%d', clock + tonumber(length) - tonumber(recent))
return {'held', others, sweeps and 1 or 0, redis.call('ZCOUNT', leases_key, renewed, '+inf'),
  term}
