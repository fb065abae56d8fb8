-- What changed in a channel after a cursor, ascending, with the head: one atomic read, a page at most.
--
-- KEYS  1 meta  2 channel  3 log  4 operations (see apply.lua)
-- ARGV  1 epoch of the cursor or '' (everything)  2 its sequence  3 most operations  4 most bytes
-- Returns {epoch, head, floor, after, complete (1, 0), envelope...}; {} without an epoch
local epoch, swept = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'swept'))
if not epoch then
  return {}
end
local head, floor = unpack(redis.call('HMGET', KEYS[2], 'head', 'floor'))
head = tonumber(head or swept or 0)
floor = tonumber(floor or swept or 0)
local after = tonumber(ARGV[2])
if ARGV[1] ~= epoch or after > head or after < floor then
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
