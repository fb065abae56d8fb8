-- Reads one operation of a channel.
--
-- KEYS  1 meta  2 operations (see update.lua)
-- ARGV  1 operation id
-- Returns {epoch, term, envelope}; {} if unknown
local meta_key, operations_key = unpack(KEYS)
local id = ARGV[1]
local epoch = redis.call('HGET', meta_key, 'epoch')
local envelope = redis.call('HGET', operations_key, id .. ':e')
if not epoch or not envelope then
  return {}
end
return {epoch, term, envelope}
