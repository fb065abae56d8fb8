-- Finds the entries of an owner in a range of a channel's sequences, which a read of state has brought.
--
-- KEYS  1 meta  2 entries (see apply.lua)
-- ARGV  1 epoch  2 channel  3 incarnation  4 first sequence  5 last sequence
-- Returns for each entry: sequence, what stands in it
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
  return {}
end
local found = {}
for sequence = tonumber(ARGV[4]), tonumber(ARGV[5]) do
  local data = redis.call('HGET', KEYS[2], string.format('%s:%d:%s', ARGV[2], sequence, ARGV[3]))
  if data then
    found[#found + 1] = sequence
    found[#found + 1] = data
  end
end
return found
