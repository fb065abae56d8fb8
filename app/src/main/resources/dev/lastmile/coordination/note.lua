-- Notes in an operation's timeline how the delivery of a version ended.
--
-- KEYS  1 timeline
-- ARGV  1 version  2 at, us  3 replica  4 outcome
-- Returns {the lines before it}; {} if the version is not kept any more
local hops = redis.call('HGET', KEYS[1], ARGV[1])
if hops then
  redis.call('HSET', KEYS[1], ARGV[1], hops .. string.format('delivered\t%s\t%s\t%s\n', ARGV[2],
    ARGV[3], ARGV[4]))
  return {hops}
end
return {}
