-- Lets the totals of a partition begin anew, together with those of all others.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 account (see update.lua)
-- ARGV  1 generation (see totals.lua)
-- Returns {1}; {} without an epoch, or if the partition was not swept in this term: its sweep begins the totals then
local _, ledger_key, redelivered_key, account_key = unpack(KEYS)
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch or redis.call('HGET', account_key, 'term') ~= term then
  return {}
end
begin_totals({ledger_key, redelivered_key}, account_key, epoch, ARGV[1])
return {1}
