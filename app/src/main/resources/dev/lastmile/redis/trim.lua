-- Deletes final operations of a channel whose retention time has passed, and the channel when no operation is left.
--
-- The pointers and timelines of these operations expire by their own time to live.
-- KEYS  1 meta  2 log  3 operations  4 finals  5 expiry (see update.lua)
-- ARGV  1 channel  2 retention, ms  3 maximum number of operations
-- Returns {number of operations deleted}
local meta_key, log_key, operations_key, finals_key, expiry_key = unpack(KEYS)
local channel, retention_millis, limit = unpack(ARGV)
local keys = {meta = meta_key, log = log_key, operations = operations_key, finals = finals_key, expiry = expiry_key}
local retention = tonumber(retention_millis)
record_term()
local head, floor, found_heads = checked_position(keys, channel, redis.call('HGET', meta_key, position_field(channel)))
local due = redis.call('ZRANGEBYSCORE', finals_key, 0, millis - retention, 'LIMIT', 0, limit)
for _, id in ipairs(due) do
  floor = math.max(floor, tonumber(redis.call('ZSCORE', log_key, id) or 0))
  redis.call('HDEL', operations_key, id, id .. ':e')
  redis.call('ZREM', log_key, id)
  redis.call('ZREM', finals_key, id)
end
if redis.call('ZCARD', log_key) == 0 then
  local highest = math.max(head, tonumber(trimmed or 0))
  if #terms > 1 and continuable(found_heads, head)[2] < highest then
    -- The position is deleted with the heads of earlier terms. Their readers must not find theirs again by chance.
    highest = highest + 1
  end
  delete_position(keys, channel, highest)
else
  if #due > 0 then
    store_position(keys, channel, head, floor, found_heads)
  end
  local oldest = redis.call('ZRANGE', finals_key, 0, 0, 'WITHSCORES')[2]
  if not oldest and restore_finals(keys, channel) then
    oldest = millis
  end
  if oldest then
    redis.call('ZADD', expiry_key, tonumber(oldest) + retention, channel)
  else
    redis.call('ZREM', expiry_key, channel)
  end
end
return {#due}
