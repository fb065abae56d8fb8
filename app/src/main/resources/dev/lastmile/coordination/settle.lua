-- Settles deliveries: each entry of the ledger once, as what comes first.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 entries  5 account (see apply.lua), then the timeline of each delivery
-- ARGV  1 epoch of the entries  2 late after, us
--       for each: channel, sequence, incarnation, version, how (flushed, slow_consumer, client_gone), at (us)
-- Returns for each the outcome, '' if there is no such entry any more; {} if the epoch is another one
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
  return {}
end
local outcomes = {}
for i = 1, #KEYS - 5 do
  local channel, sequence, incarnation, version, how, at = unpack(ARGV, i * 6 - 3, i * 6 + 2)
  local entry = channel .. ':' .. sequence .. ':' .. incarnation
  local data = redis.call('HGET', KEYS[4], entry)
  outcomes[i] = ''
  if data then
    local outcome = how
    if how == 'flushed' then
      local published = tonumber(string.match(data, '^%d+'))
      outcome = tonumber(at) - published > tonumber(ARGV[2]) and 'late' or 'delivered'
    end
    redis.call('HDEL', KEYS[4], entry)
    if redis.call('ZREM', KEYS[2], entry) == 0 then
      redis.call('ZREM', KEYS[3], entry)
    end
    local replica = string.match(incarnation, '^(.*)~')
    redis.call('HINCRBY', KEYS[5], replica .. ' ' .. outcome, 1)
    local hops = redis.call('HGET', KEYS[i + 5], version)
    if hops then
      redis.call('HSET', KEYS[i + 5], version, hops .. string.format('delivered\t%s\t%s\t%s\n', at,
        replica, outcome))
    end
    outcomes[i] = outcome
  end
end
return outcomes
