-- Prepended to the scripts that compare times.
--
-- Deadlines and leases use the ledger's clock: Redis time without the times in which no replica swept. Otherwise a
-- pause of Redis, or of all replicas, would make every lease and delivery overdue at once. A sweep is due several times
-- a second, so the time beyond one second without a sweep does not count. A clock that was set forward or back does not
-- count either.
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local millis = math.floor(micros / 1000)

local LONGEST_MILLIS = 1000

-- The part of the time since the last sweep that does not count, ms.
local function lost_millis(swept)
  local gap = millis - tonumber(swept or millis)
  return gap < 0 and gap or math.max(0, gap - LONGEST_MILLIS)
end

-- The ledger's clock in ms, from the fields swept and stalled of the partition's meta, which sweep.lua writes.
local function ledger_clock(swept, stalled)
  return millis - tonumber(stalled or 0) - lost_millis(swept)
end

-- Whether an incarnation's lease has not ended.
local function alive(leases, incarnation, clock)
  local expiry = redis.call('ZSCORE', leases, incarnation)
  return expiry and tonumber(expiry) > clock
end

-- Whether a field of the account is "replica counter".
local function is_counter(field)
  return string.match(field, ' ') and not string.match(field, ' gone$')
end

local function replica_of(incarnation)
  return string.match(incarnation, '^(.*)~')
end

-- The process of an incarnation, which names its inbox.
local function process_of(incarnation)
  return string.match(incarnation, '^(.*)%.')
end
