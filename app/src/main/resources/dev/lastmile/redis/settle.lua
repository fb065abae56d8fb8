-- Settles deliveries: each entry of the ledger once, by the first settlement.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 entries  5 account (see update.lua), then the timeline of each delivery
-- ARGV  1 epoch of the entries  2 late after, us  3 outcome of a flush in time  4 outcome of a later one
--       for each: channel, sequence, incarnation, version, term of its publication,
--       how (flushed, slow_consumer, client_gone), at (us)
-- Returns for each the outcome, '' if there is no such entry any more; {} if the epoch is another one
local meta_key, ledger_key, redelivered_key, entries_key, account_key = unpack(KEYS, 1, 5)
local epoch, late_after, in_time, late = unpack(ARGV, 1, 4)
if redis.call('HGET', meta_key, 'epoch') ~= epoch then
  return {}
end
local outcomes = {}
for i = 1, #KEYS - 6 do
  local channel, sequence, incarnation, version, published_in, how, at = unpack(ARGV, i * 7 - 2, i * 7 + 4)
  local timeline_key = KEYS[i + 5]
  local entry = channel .. ':' .. sequence .. ':' .. incarnation
  local data = redis.call('HGET', entries_key, entry)
  outcomes[i] = ''
  -- In another term it is an update with the same sequence, after this one was lost.
  if data and string.sub(data, -#published_in - 1) == ' ' .. published_in then
    local outcome = how
    if how == 'flushed' then
      local published = tonumber(string.match(data, '^%d+'))
      outcome = tonumber(at) - published > tonumber(late_after) and late or in_time
    end
    redis.call('HDEL', entries_key, entry)
    if redis.call('ZREM', ledger_key, entry) == 0 then
      redis.call('ZREM', redelivered_key, entry)
    end
    local replica = string.match(incarnation, '^(.*)~')
    redis.call('HINCRBY', account_key, replica .. ' ' .. outcome, 1)
    local hops = redis.call('HGET', timeline_key, version)
    if hops then
      redis.call('HSET', timeline_key, version, hops .. string.format('delivered\t%s\t%s\t%s\n', at,
        replica, outcome))
    end
    outcomes[i] = outcome
  end
end
return outcomes
