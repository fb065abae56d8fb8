-- Redelivers overdue deliveries of one partition once, and then expires them. The replica that holds the partition calls
-- it; further calls do no harm.
--
-- In a new term the account begins anew with the outstanding deliveries: its totals may be older than those that were
-- read in the term before. account.lua returns no totals before.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 entries  5 account (see update.lua)  6 leases (see lease.lua)
--       7 expired: list of the last expired entries, newest first
-- ARGV  1 redeliver after, ms  2 expire after, ms  3 maximum number of each
--       4 prefix of the Pub/Sub channels of the partition, '' = no redelivery is published
--       5 expired entries to keep in the list  6 outcome if the owner is alive  7 outcome if its lease has ended
-- Returns {1 if there were more, {incarnations whose lease has ended}, {expired: "at (us) reason entry data", ...}}
local meta_key, ledger_key, redelivered_key, entries_key, account_key, leases_key, expired_key = unpack(KEYS)
local redeliver_after, expire_after, max_entries, pubsub_prefix, examples, not_received, owner_gone = unpack(ARGV)
local epoch, swept, stalled = unpack(redis.call('HMGET', meta_key, 'epoch', 'swept', 'stalled'))
if not epoch then
  return {0, {}, {}}
end
local clock = ledger_clock(swept, stalled)

local function owner(entry)
  return string.match(entry, '^(%w+):(%d+):(.*)$')
end

-- The outstanding deliveries get another redelivery, twice the usual time from now: their settlements may be lost, and an
-- owner gets nothing before it has subscribed at the new primary.
local function redeliver_outstanding()
  local renewed = string.format('%d', clock + tonumber(redeliver_after))
  for _, key in ipairs({ledger_key, redelivered_key}) do
    for _, entry in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      redis.call('ZADD', ledger_key, renewed, entry)
    end
  end
  redis.call('DEL', redelivered_key)
end

redis.call('HSET', meta_key, 'swept', string.format('%d', millis), 'stalled',
  string.format('%d', tonumber(stalled or 0) + lost_millis(swept)))
local account_epoch, account_term = unpack(redis.call('HMGET', account_key, 'epoch', 'term'))
local marked = redis.call('HGET', entries_key, 'epoch') == epoch and account_epoch == epoch
local entries = redis.call('HLEN', entries_key) - 1
if not marked or entries ~= redis.call('ZCARD', ledger_key) + redis.call('ZCARD', redelivered_key) then
  -- A part of the ledger or the account was deleted. The totals are wrong then: the next script that finds no epoch
  -- begins a new one.
  redis.call('HDEL', meta_key, 'epoch')
  redis.call('HSET', meta_key, 'repaired', string.format('%d', millis))
  return {0, {}, {}}
end
if account_term ~= term then
  begin_totals({ledger_key, redelivered_key}, account_key, epoch, term)
  redeliver_outstanding()
end
local limit = tonumber(max_entries)

local function due(key, after)
  return redis.call('ZRANGEBYSCORE', key, '-inf', string.format('%d', clock - tonumber(after)),
    'WITHSCORES', 'LIMIT', 0, limit)
end

-- First the entries of an earlier sweep, so that every owner has time to deliver after a redelivery.
local over = due(redelivered_key, expire_after)
local expired = {}
for i = 1, #over, 2 do
  local entry = over[i]
  local data = redis.call('HGET', entries_key, entry)
  local _, _, incarnation = owner(entry)
  local reason = alive(leases_key, incarnation, clock) and not_received or owner_gone
  redis.call('ZREM', redelivered_key, entry)
  redis.call('HDEL', entries_key, entry)
  redis.call('HINCRBY', account_key, replica_of(incarnation) .. ' ' .. reason, 1)
  local line = string.format('%d %s %s %s', micros, reason, entry, data)
  redis.call('LPUSH', expired_key, line)
  expired[#expired + 1] = line
end
if #over > 0 then
  redis.call('LTRIM', expired_key, 0, tonumber(examples) - 1)
end

local again = due(ledger_key, redeliver_after)
for i = 1, #again, 2 do
  local entry = again[i]
  redis.call('ZREM', ledger_key, entry)
  redis.call('ZADD', redelivered_key, again[i + 1], entry)
  local channel, sequence, incarnation = owner(entry)
  if pubsub_prefix ~= '' and alive(leases_key, incarnation, clock) then
    local data = string.gsub(redis.call('HGET', entries_key, entry), ' ', '\t')
    redis.call('SPUBLISH', pubsub_prefix .. 'inbox:' .. process_of(incarnation),
      table.concat({'6', incarnation, channel, epoch, term, sequence, data}, '\t'))
    redis.call('HINCRBY', account_key, replica_of(incarnation) .. ' redelivered', 1)
  end
end

local dead = redis.call('ZRANGEBYSCORE', leases_key, '-inf', string.format('%d', clock), 'LIMIT', 0, 8)
return {(#again >= limit * 2 or #over >= limit * 2) and 1 or 0, dead, expired}
