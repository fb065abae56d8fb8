-- Put before the scripts that judge by time.
--
-- Deadlines and leases are kept on the ledger's clock: Redis time without the times in which nobody could act.
-- Redis that stood still, or replicas that all did, would otherwise make everyone late at once: a sweep is due
-- several times a second, so what is more than a second without one does not count. A clock that was set forth or
-- back does not count either.
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local millis = math.floor(micros / 1000)

local LONGEST_MILLIS = 1000

-- How much of the time since the last sweep does not count, ms.
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

local function replica_of(incarnation)
  return string.match(incarnation, '^(.*)~')
end
