-- Stores a change of an operation, and publishes it, unless its revision is not new or the operation is final.
--
-- KEYS  1 to 15 as in update.lua
-- ARGV  1 to 15 as in update.lua  16 revision, '' for a change by this service  17 retention, ms
--  18 '1' if revisions do not decide: for the final answer to a poll, which is never outdated, and for the deadline
-- Returns {'stored', outcome of publish, version, envelope if it was not published}; or {'unknown'}, {'duplicate'},
--   {'stale'}, {'final'}, {'no_epoch'}
--
-- A state that this service has failed gives way to the first final report, once.
local reported_revision, retention_millis, override_flag = unpack(ARGV, 16)
local reported = reported_revision ~= ''
local overrides = override_flag == '1'

local state = redis.call('HGET', operations_key, id)
if not state then
  -- The operations of the channel were deleted. Nothing may poll this one for ever.
  for _, key in ipairs({submissions_key, overdue_key, deadlines_key}) do
    redis.call('ZREM', key, id)
  end
  redis.call('PEXPIRE', metadata_key, retention_millis)
  redis.call('PEXPIRE', timeline_key, retention_millis)
  return {'unknown'}
end
local version, stored_revision, stored_status, acked, stored_progress =
  string.match(state, '^(%d+) %d+ (%d+) (%u+) (%d+) (%d+) ')
stored_revision = tonumber(stored_revision)
local revision = stored_revision
local ended = is_final(stored_status)
local replaces = ended and reported and is_final(status) and redis.call('HEXISTS', metadata_key, 'failedHere') == 1
if replaces then
  ended = false
end
if reported then
  -- The external system has the job, and the operation is not overdue.
  redis.call('ZREM', submissions_key, id)
  if not is_final(stored_status) then
    redis.call('ZADD', overdue_key, millis + tonumber(overdue_after), id)
  end
  revision = tonumber(reported_revision)
  -- Nothing follows a final report, so it counts also where the sender gave it the revision of the report before.
  local ends = is_final(status) and not ended
  if revision == stored_revision and not ends then
    return {'duplicate'}
  elseif revision < stored_revision and not (ends and (overrides or replaces)) then
    return {'stale'}
  end
elseif stored_revision > 0 and not overrides then
  -- The external system has reported meanwhile, so this service does not fail the operation.
  return {'stale'}
end
if ended then
  return {'final'}
end

version = tonumber(version) + 1
local progress = reported_progress == '' and stored_progress or reported_progress
local update = store('callback', version, revision, acked, progress, nil)
if reported then
  redis.call('HDEL', metadata_key, 'job', 'failedHere')
end
if is_final(status) then
  redis.call('ZREM', submissions_key, id)
  redis.call('ZREM', overdue_key, id)
  redis.call('ZREM', deadlines_key, id)
  redis.call('HDEL', metadata_key, 'job')
  if not reported then
    redis.call('HSET', metadata_key, 'failedHere', '1')
  end
  redis.call('ZADD', finals_key, millis, id)
  redis.call('ZADD', expiry_key, 'NX', millis + tonumber(retention_millis), channel)
  redis.call('PEXPIRE', metadata_key, retention_millis)
  redis.call('PEXPIRE', timeline_key, retention_millis)
end
local outcome = publish(update)
return {'stored', outcome, version, outcome == 'local_only' and update.envelope or nil}
