-- Reads the totals of one partition at one instant.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 account (see update.lua)
-- Returns {time at which they began, s, outstanding deliveries, age of the oldest outstanding, ms, time of the reading,
--   ms, time of the last repair, ms, or '', generation (see totals.lua), counter, value, ...}; {} if the totals of this
--   term have not begun
local meta_key, ledger_key, redelivered_key, account_key = unpack(KEYS)
local epoch, swept, stalled, repaired = unpack(redis.call('HMGET', meta_key, 'epoch', 'swept', 'stalled', 'repaired'))
local account_term, begun, generation = unpack(redis.call('HMGET', account_key, 'term', 'begun', 'generation'))
if not epoch or account_term ~= term then
  return {}
end
local clock = ledger_clock(swept, stalled)
local oldest = clock
for _, key in ipairs({ledger_key, redelivered_key}) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  oldest = math.min(oldest, tonumber(first or clock))
end
local outstanding = redis.call('ZCARD', ledger_key) + redis.call('ZCARD', redelivered_key)
local result = {begun, outstanding, clock - oldest, millis, repaired or '', generation or ''}
local fields = redis.call('HGETALL', account_key)
for i = 1, #fields, 2 do
  if is_counter(fields[i]) then
    result[#result + 1] = fields[i]
    result[#result + 1] = fields[i + 1]
  end
end
return result
