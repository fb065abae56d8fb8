-- Notes in an operation's timeline that a replica has flushed a version to a browser: once per replica.
--
-- KEYS  1 timeline
-- ARGV  1 version  2 flushed at, us  3 replica
-- Returns {}
local hops = redis.call('HGET', KEYS[1], ARGV[1])
local mark = '\t' .. ARGV[3] .. '\tdelivered\n'
if hops and not string.find(hops, mark, 1, true) then
  redis.call('HSET', KEYS[1], ARGV[1], hops .. 'delivered\t' .. ARGV[2] .. mark)
end
return {}
