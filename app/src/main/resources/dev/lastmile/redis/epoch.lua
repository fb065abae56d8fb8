-- Begins an epoch of the partition if it has none: its keys were lost, or were never written.
--
-- A new epoch has none of the deliveries of the old one: its ledger is emptied, its totals begin at 0 and its leases
-- end. So every replica takes a new incarnation and announces its channels again.
-- KEYS  1 meta  2 ledger  3 redelivered  4 entries  5 account  6 leases
--       7 `hearing` (see lease.lua; one partition only)
-- ARGV  1 the epoch to set if there is none  2 maximum number of entries to return of each zset
-- Returns {1 if an epoch began, otherwise 0, number of deliveries that were outstanding, examples: entry, data, ...}
local meta_key, ledger_key, redelivered_key, entries_key, account_key, leases_key = unpack(KEYS)
local receiving_key = #KEYS > 7 and KEYS[7]
local new_epoch, max_entries = unpack(ARGV)
if redis.call('HEXISTS', meta_key, 'epoch') == 1 then
  return {0, 0}
end
local outstanding = math.max(0, redis.call('HLEN', entries_key) - 1)
local result = {1, outstanding}
for _, key in ipairs({ledger_key, redelivered_key}) do
  for _, entry in ipairs(redis.call('ZRANGE', key, 0, tonumber(max_entries) - 1)) do
    result[#result + 1] = entry
    result[#result + 1] = redis.call('HGET', entries_key, entry) or ''
  end
end
redis.call('DEL', ledger_key, redelivered_key, entries_key, account_key)
-- A sweep notices by these fields that a key was deleted since.
redis.call('HSET', entries_key, 'epoch', new_epoch)
redis.call('HSET', account_key, 'epoch', new_epoch, 'term', term, 'begun', redis.call('TIME')[1],
  'generation', new_epoch)
for _, incarnation in ipairs(redis.call('ZRANGE', leases_key, 0, -1)) do
  redis.call('ZADD', leases_key, 0, incarnation)
end
if receiving_key then
  redis.call('DEL', receiving_key)
end
redis.call('HDEL', meta_key, 'swept', 'stalled', 'sweeper', 'sweeperSince')
-- A replica that knows an earlier time counts a loss of keys. With a new Redis there is none.
redis.call('HSET', meta_key, 'epoch', new_epoch, 'repaired', redis.call('TIME')[1] * 1000)
return result
