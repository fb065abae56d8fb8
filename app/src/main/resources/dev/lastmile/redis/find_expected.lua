-- Finds the entries of an owner in a range of a channel's sequences, which a read of state has delivered.
--
-- KEYS  1 meta  2 entries (see update.lua)
-- ARGV  1 epoch and  2 term of the read  3 channel  4 incarnation  5 first sequence  6 last sequence
-- Returns for each entry: sequence, its data
local meta_key, entries_key = unpack(KEYS)
local epoch, read_term, channel, incarnation, first, last = unpack(ARGV)
if read_term ~= term or redis.call('HGET', meta_key, 'epoch') ~= epoch then
  -- The sequences may be those of other updates.
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
