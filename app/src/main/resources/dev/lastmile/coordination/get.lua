-- One operation of a channel with the epoch that its version belongs to.
--
-- KEYS  1 meta  2 operations (see apply.lua)
-- ARGV  1 operation id
-- Returns {epoch, envelope}; {} if unknown
local epoch = redis.call('HGET', KEYS[1], 'epoch')
local envelope = redis.call('HGET', KEYS[2], ARGV[1] .. ':e')
if not epoch or not envelope then
  return {}
end
return {epoch, envelope}
