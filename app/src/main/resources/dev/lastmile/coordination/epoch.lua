-- Makes sure that the partition's epoch belongs to the Redis process that runs now.
--
-- KEYS  1 meta
-- ARGV  1 run_id of this process  2 the epoch to take if it is another one than before
-- Returns {epoch, the epoch before or ''} ; both equal when nothing was renewed
local run, epoch = unpack(redis.call('HMGET', KEYS[1], 'run', 'epoch'))
if run == ARGV[1] then
  return {epoch, epoch}
end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'epoch', ARGV[2])
return {ARGV[2], epoch or ''}
