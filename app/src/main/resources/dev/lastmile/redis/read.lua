-- Reads the changes of a channel after a cursor, ascending, with the head: one page, read atomically.
--
-- KEYS  1 meta  2 log  3 operations  4 finals  5 expiry (see update.lua)
-- ARGV  1 epoch of the cursor or '' (everything)  2 its term, with 'p' if it is within a read of state  3 its sequence
--       4 maximum number of operations  5 maximum bytes of a page with several operations  6 '1' if the cursor is the end
--       of the previous page: operations deleted since then do not matter  7 channel
-- Returns {epoch, {term, highest sequence to continue with, ... the present term last}, head, floor, after,
--   complete (1, 0), envelope...}; {} without an epoch
local meta_key, log_key, operations_key, finals_key, expiry_key = unpack(KEYS)
local cursor_epoch, cursor_term, cursor_sequence, max_operations, max_bytes, paging, channel = unpack(ARGV)
local keys = {meta = meta_key, log = log_key, operations = operations_key, finals = finals_key, expiry = expiry_key}
local epoch, stored_position = unpack(redis.call('HMGET', meta_key, 'epoch', position_field(channel)))
if not epoch then
  return {}
end
local head, floor, found_heads = checked_position(keys, channel, stored_position)
local continuations = continuable(found_heads, head)
local highest
for i = 1, #continuations, 2 do
  if continuations[i] == cursor_term or (continuations[i] == term and cursor_term == term .. 'p') then
    highest = continuations[i + 1]
  end
end
local after = tonumber(cursor_sequence)
if cursor_epoch ~= epoch or not highest or after > highest or (after < floor and paging ~= '1') then
  after = 0
end
local limit = tonumber(max_operations)
local ids = redis.call('ZRANGEBYSCORE', log_key, '(' .. string.format('%d', after), '+inf', 'LIMIT',
  0, limit + 1)
local result = {epoch, continuations, head, floor, after, 1}
local bytes = 0
for index, id in ipairs(ids) do
  local envelope = redis.call('HGET', operations_key, id .. ':e')
  bytes = bytes + #envelope
  if index > limit or (index > 1 and bytes > tonumber(max_bytes)) then
    result[6] = 0
    break
  end
  result[#result + 1] = envelope
end
return result
