-- Makes sure that the partition's epoch belongs to the Redis process that runs now.
--
-- A new epoch has none of the deliveries of the old one: its ledger is emptied, its totals begin at 0 and its leases
-- end. So every replica takes a new incarnation and announces its channels again.
-- KEYS  1 meta  2 ledger  3 redelivered  4 entries  5 account  6 leases
--       7 `hearing` (see lease.lua; one partition only)
-- ARGV  1 run_id of this process  2 the epoch to set if the process is another one than before
--       3 maximum number of entries to return of each zset
-- Returns {epoch, the epoch before or '', number of deliveries that were outstanding, examples: entry, data, ...};
--   both epochs are equal if the epoch was not renewed
local meta_key, ledger_key, redelivered_key, entries_key, account_key, leases_key, receiving_key = unpack(KEYS)
local run_id, new_epoch, max_entries = unpack(ARGV)
local run, epoch = unpack(redis.call('HMGET', meta_key, 'run', 'epoch'))
if run == run_id then
  -- An epoch of an older release has no start.
  redis.call('HSETNX', meta_key, 'begun', redis.call('TIME')[1])
  return {epoch, epoch, 0}
end
if redis.call('EXISTS', meta_key) == 0 and redis.call('EXISTS', leases_key) == 1 then
  -- Only meta was deleted.
  redis.call('HSET', meta_key, 'repaired', redis.call('TIME')[1] * 1000)
end
local outstanding = math.max(0, redis.call('HLEN', entries_key) - 1)
local result = {new_epoch, epoch or '', outstanding}
for _, key in ipairs({ledger_key, redelivered_key}) do
  for _, entry in ipairs(redis.call('ZRANGE', key, 0, tonumber(max_entries) - 1)) do
    result[#result + 1] = entry
    result[#result + 1] = redis.call('HGET', entries_key, entry) or ''
  end
end
redis.call('DEL', ledger_key, redelivered_key, entries_key, account_key)
-- A sweep notices by these fields that a key was deleted since.
redis.call('HSET', entries_key, 'epoch', new_epoch)
redis.call('HSET', account_key, 'epoch', new_epoch)
for _, incarnation in ipairs(redis.call('ZRANGE', leases_key, 0, -1)) do
  redis.call('ZADD', leases_key, 0, incarnation)
end
if receiving_key then
  redis.call('DEL', receiving_key)
end
redis.call('HDEL', meta_key, 'swept', 'stalled', 'sweeper', 'sweeperSince')
redis.call('HSET', meta_key, 'run', run_id, 'epoch', new_epoch, 'begun', redis.call('TIME')[1])
return result
