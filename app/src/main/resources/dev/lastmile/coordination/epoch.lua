-- Makes sure that the partition's epoch belongs to the Redis process that runs now.
--
-- A new epoch knows nothing of the deliveries of the old one: its ledger is emptied, its totals begin at 0, its
-- leases end, so that every replica takes a new incarnation and announces itself again.
-- KEYS  1 meta  2 ledger  3 redelivered  4 entries  5 account  6 leases  7 hearing (one partition only)
-- ARGV  1 run_id of this process  2 the epoch to take if it is another one than before
--       3 most entries to return
-- Returns {epoch, the epoch before or '', deliveries that were outstanding, some of them: entry, data, ...};
--   both epochs equal when nothing was renewed
local run, epoch = unpack(redis.call('HMGET', KEYS[1], 'run', 'epoch'))
if run == ARGV[1] then
  -- An epoch of before this was kept.
  redis.call('HSETNX', KEYS[1], 'begun', redis.call('TIME')[1])
  return {epoch, epoch, 0}
end
local outstanding = redis.call('HLEN', KEYS[4])
local result = {ARGV[2], epoch or '', outstanding}
for _, key in ipairs({KEYS[2], KEYS[3]}) do
  for _, entry in ipairs(redis.call('ZRANGE', key, 0, tonumber(ARGV[3]) - 1)) do
    result[#result + 1] = entry
    result[#result + 1] = redis.call('HGET', KEYS[4], entry) or ''
  end
end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
for _, incarnation in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do
  redis.call('ZADD', KEYS[6], 0, incarnation)
end
if KEYS[7] then
  redis.call('DEL', KEYS[7])
end
redis.call('HDEL', KEYS[1], 'swept', 'stalled')
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'epoch', ARGV[2], 'begun', redis.call('TIME')[1])
return result
