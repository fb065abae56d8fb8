-- Takes care of what is overdue in one partition: redelivers once, then expires. Any replica, at any time.
--
-- KEYS  1 meta  2 ledger  3 redelivered  4 entries  5 account (see apply.lua)  6 leases (see lease.lua)
--       7 expired: list of the last expired entries, newest first
-- ARGV  1 redeliver after, ms  2 expire after, ms  3 most of each  4 topic, '' = nobody is asked again
--       5 examples to keep
-- Returns {1 if there was more, {incarnations whose lease has ended}, {expired: "at (us) reason entry data", ...}}
local epoch, swept, stalled = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'swept', 'stalled'))
if not epoch then
  return {0, {}, {}}
end
local clock = ledger_clock(swept, stalled)
redis.call('HSET', KEYS[1], 'swept', string.format('%d', millis), 'stalled',
  string.format('%d', tonumber(stalled or 0) + lost_millis(swept)))
if redis.call('EXISTS', KEYS[5]) == 0
  and redis.call('ZCOUNT', KEYS[6], '(' .. string.format('%d', clock), '+inf') > 0 then
  -- Whoever has a lease has an account: somebody has deleted it. No total is worth anything then, so a new
  -- epoch begins with the next script that finds none.
  redis.call('HDEL', KEYS[1], 'run', 'epoch')
  return {0, {}, {}}
end
local most = tonumber(ARGV[3])

local function due(key, after)
  return redis.call('ZRANGEBYSCORE', key, '-inf', string.format('%d', clock - tonumber(after)),
    'WITHSCORES', 'LIMIT', 0, most)
end

local function owner(entry)
  return string.match(entry, '^(%w+):(%d+):(.*)$')
end

-- First what was asked for at an earlier sweep, so that everybody asked has time to answer.
local over = due(KEYS[3], ARGV[2])
local expired = {}
for i = 1, #over, 2 do
  local entry = over[i]
  local data = redis.call('HGET', KEYS[4], entry)
  local _, _, incarnation = owner(entry)
  local reason = alive(KEYS[6], incarnation, clock) and 'not_received' or 'owner_gone'
  redis.call('ZREM', KEYS[3], entry)
  redis.call('HDEL', KEYS[4], entry)
  redis.call('HINCRBY', KEYS[5], replica_of(incarnation) .. ' ' .. reason, 1)
  local line = string.format('%d %s %s %s', micros, reason, entry, data)
  redis.call('LPUSH', KEYS[7], line)
  expired[#expired + 1] = line
end
if #over > 0 then
  redis.call('LTRIM', KEYS[7], 0, tonumber(ARGV[5]) - 1)
end

local again = due(KEYS[2], ARGV[1])
for i = 1, #again, 2 do
  local entry = again[i]
  redis.call('ZREM', KEYS[2], entry)
  redis.call('ZADD', KEYS[3], again[i + 1], entry)
  local channel, sequence, incarnation = owner(entry)
  if ARGV[4] ~= '' and alive(KEYS[6], incarnation, clock) then
    local data = string.gsub(redis.call('HGET', KEYS[4], entry), ' ', '\t')
    redis.call('PUBLISH', ARGV[4], table.concat({'2', incarnation, channel, epoch, sequence, data}, '\t'))
    redis.call('HINCRBY', KEYS[5], replica_of(incarnation) .. ' redelivered', 1)
  end
end

local dead = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', string.format('%d', clock), 'LIMIT', 0, 8)
return {(#again >= most * 2 or #over >= most * 2) and 1 or 0, dead, expired}
