-- Deletes operations of a full channel whose pointer was deleted. Reports reach them only at a replica that still knows
-- the pointer, so they could count against the limit of the channel for ever. The channel begins anew if there are any.
--
-- KEYS  1 meta  2 log  3 operations  4 finals  5 expiry (see update.lua); then pointer and timeline of each operation
-- ARGV  1 channel; then the id of each operation
-- Returns {number of operations deleted}
local meta_key, log_key, operations_key, finals_key, expiry_key = unpack(KEYS, 1, 5)
local channel = ARGV[1]
local keys = {meta = meta_key, log = log_key, operations = operations_key, finals = finals_key, expiry = expiry_key}
record_term()
local head, _, found_heads = checked_position(keys, channel, redis.call('HGET', meta_key, position_field(channel)))
local deleted = 0
for i = 2, #ARGV do
  local pointer_key, timeline_key = KEYS[i * 2 + 2], KEYS[i * 2 + 3]
  if redis.call('HLEN', pointer_key) == 0 and redis.call('HDEL', operations_key, ARGV[i], ARGV[i] .. ':e') > 0 then
    redis.call('DEL', timeline_key)
    deleted = deleted + 1
  end
end
if deleted > 0 then
  repair(keys, channel, head, found_heads)
end
return {deleted}
