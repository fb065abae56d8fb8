-- Finds the entries of an owner in a range of a channel's sequences, which a read of state has delivered.
--
-- KEYS  1 meta  2 entries (see update.lua)
-- ARGV  1 epoch  2 channel  3 incarnation  4 first sequence  5 last sequence
-- Returns for each entry: sequence, its data
local meta_key, entries_key = unpack(KEYS)
local epoch, channel, incarnation, first, last = unpack(ARGV)
if redis.call('HGET', meta_key, 'epoch') ~= epoch then
  return {}
end
local found = {}
for sequence = tonumber(first), tonumber(last) do
  local data = redis.call('HGET', entries_key, string.format('%s:%d:%s', channel, sequence, incarnation))
  if data then
    found[#found + 1] = sequence
    found[#found + 1] = data
  end
end
return found
