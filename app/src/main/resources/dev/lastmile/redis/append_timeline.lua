-- Appends the outcome of a delivery to the timeline of an operation.
--
-- KEYS  1 timeline
-- ARGV  1 version  2 at, us  3 replica  4 outcome
-- Returns {the earlier lines of the version}; {} if the version is not retained any more
local timeline_key = KEYS[1]
local version, at, replica, outcome = unpack(ARGV)
local hops = redis.call('HGET', timeline_key, version)
if hops then
  redis.call('HSET', timeline_key, version, hops .. string.format('delivered\t%s\t%s\t%s\n', at, replica,
    outcome))
  return {hops}
end
return {}
