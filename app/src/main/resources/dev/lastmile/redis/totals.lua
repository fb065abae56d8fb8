-- Prepended, after term.lua and clock.lua, to the scripts that let totals begin anew.
--
-- The totals of all partitions are exported as sums. A sum would decrease if those of one partition began anew, and look
-- as if a counter had been reset. So the account has a generation: if it is not the same in all partitions, the replica
-- that reads the totals lets those of all partitions begin anew, with another generation.

-- The outstanding deliveries are the expected ones. The replicas of the account stay, so that their totals exist in every
-- partition.
local function begin_totals(ledger_keys, account_key, epoch, generation)
  local expected = {}
  for _, key in ipairs(ledger_keys) do
    for _, entry in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      local field = replica_of(string.match(entry, '^%w+:%d+:(.*)$')) .. ' expected'
      expected[field] = (expected[field] or 0) + 1
    end
  end
  for _, field in ipairs(redis.call('HKEYS', account_key)) do
    if is_counter(field) then
      redis.call('HSET', account_key, field, expected[field] or 0)
    end
  end
  redis.call('HSET', account_key, 'epoch', epoch, 'term', term, 'begun', time[1], 'generation', generation)
end
