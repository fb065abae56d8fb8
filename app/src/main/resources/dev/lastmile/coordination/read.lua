-- What changed in a channel after a cursor, ascending, with the head: one atomic read, a page at most.
--
-- KEYS  1 meta  2 channel  3 log  4 operations (see apply.lua)
-- ARGV  1 epoch of the cursor or '' (everything)  2 its sequence  3 most operations  4 most bytes
--       5 '1' if the cursor is where the page before ended: what was deleted since does not matter
-- Returns {epoch, head, floor, after, complete (1, 0), envelope...}; {} without an epoch
local epoch, trimmed = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'trimmed'))
if not epoch then
  return {}
end
local head, floor = unpack(redis.call('HMGET', KEYS[2], 'head', 'floor'))
head = tonumber(head or trimmed or 0)
floor = tonumber(floor or trimmed or 0)
local after = tonumber(ARGV[2])
if ARGV[1] ~= epoch or after > head or (after < floor and ARGV[5] ~= '1') then
  after = 0
end
local most = tonumber(ARGV[3])
local ids = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. string.format('%d', after), '+inf', 'LIMIT',
  0, most + 1)
local result = {epoch, head, floor, after, 1}
local bytes = 0
for index, id in ipairs(ids) do
  if index > most or bytes > tonumber(ARGV[4]) then
    result[5] = 0
    break
  end
  local envelope = redis.call('HGET', KEYS[4], id .. ':e')
  bytes = bytes + #envelope
  result[#result + 1] = envelope
end
return result
