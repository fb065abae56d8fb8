-- Creates an operation as version 1, and publishes it.
--
-- KEYS  1 to 15 as in update.lua
--  16 idempotency  string  "operationId fingerprint"
-- ARGV  1 to 15 as in update.lua
--  16 maximum number of operations  17 fingerprint or ''  18 idempotency ttl, ms  19 submit again after, ms
--  20 kind  21 job  22 traceparent and  23 tracestate of the creation  24 deadline, ms after now
-- Returns {'created', outcome of publish, version, envelope}; or {'conflict'}, {'repeated' or 'gone', operation id},
--   {'full', id of an operation, ...}, {'no_epoch'}

-- Operations whose pointers are checked when a channel is full.
local CHECKED = 500

local idempotency_key = KEYS[16]
local max_operations, fingerprint, idempotency_ttl, submit_again_after, kind, job, creation_traceparent,
  creation_tracestate, deadline = unpack(ARGV, 16)

if fingerprint ~= '' then
  local prior = redis.call('GET', idempotency_key)
  if prior then
    local operation, prior_fingerprint = string.match(prior, '^(%S+) (%S+)$')
    if prior_fingerprint ~= fingerprint then
      return {'conflict'}
    end
    return {redis.call('HEXISTS', operations_key, operation) == 1 and 'repeated' or 'gone', operation}
  end
end

-- Gives each pending operation a deadline again, if it has none. Otherwise a channel could stay full for ever.
local function restore_deadlines()
  for _, operation in ipairs(redis.call('ZRANGE', log_key, 0, -1)) do
    redis.call('ZADD', deadlines_key, 'NX', millis + tonumber(deadline), operation)
  end
end

local floor
if redis.call('ZCARD', log_key) >= tonumber(max_operations) then
  -- The oldest final operation makes room.
  local oldest = redis.call('ZRANGE', finals_key, 0, 0)[1]
  if not oldest and restore_finals(state_keys, channel) then
    oldest = redis.call('ZRANGE', finals_key, 0, 0)[1]
  end
  if not oldest then
    restore_deadlines()
    return {'full', unpack(redis.call('ZRANGE', log_key, 0, CHECKED - 1))}
  end
  floor = tonumber(redis.call('ZSCORE', log_key, oldest))
  redis.call('HDEL', operations_key, oldest, oldest .. ':e')
  redis.call('ZREM', log_key, oldest)
  redis.call('ZREM', finals_key, oldest)
end

local progress = reported_progress == '' and '0' or reported_progress
local update = store('initiated', 1, 0, '0', progress, floor)
redis.call('HSET', metadata_key, 'channel', channel, 'kind', kind, 'correlationId', correlation_id,
  'traceparent', creation_traceparent, 'tracestate', creation_tracestate, 'createdAt', string.format('%d', millis),
  'job', job)
redis.call('ZADD', submissions_key, millis + tonumber(submit_again_after), id)
redis.call('ZADD', overdue_key, millis + tonumber(overdue_after), id)
redis.call('ZADD', deadlines_key, millis + tonumber(deadline), id)
if fingerprint ~= '' then
  redis.call('SET', idempotency_key, id .. ' ' .. fingerprint, 'PX', idempotency_ttl)
end
return {'created', publish(update), 1, update.envelope}
