-- Prepended, after term.lua and clock.lua, to the scripts that read or change the state of a channel.
--
-- The position of a channel is the field "channel:<channel>" of meta: "head floor term:found term:found ...". It exists
-- while the log does. With meta the epoch is lost, too. The first change of a channel in a term stores the head that it
-- found. A reader of an earlier term has seen nothing that was lost since if its sequence is not above that head.
--
-- An operator, or a Redis that may evict keys, can delete the log, the operations or the final times alone. The scripts
-- check that log and operations have the same entries. If not, the channel is repaired from what is left, and begins
-- anew: every client replaces its state.
--
-- keys  the keys meta, log, operations, finals and expiry, by these names

local function position_field(channel)
  return 'channel:' .. channel
end

local function is_final(status)
  return status == 'SUCCEEDED' or status == 'FAILED'
end

-- The parts of a stored position: head, floor, and the rest; nothing if it is missing.
local function split_position(value)
  local head, floor, found_heads = string.match(value or '', '^(%d+) (%d+)(.*)$')
  return tonumber(head), tonumber(floor), found_heads
end

local function store_position(keys, channel, head, floor, found_heads)
  redis.call('HSET', keys.meta, position_field(channel), string.format('%d %d%s', head, floor, found_heads or ''))
end

-- The heads that changes have found, with that of the first change in this term. A channel without a position has none:
-- then it is the highest head of a deleted channel when the term began.
--
-- found_heads  as stored, or nil  found  the head that this change found
local function with_found(keys, found_heads, found)
  if found_heads and string.find(found_heads, ' ' .. term .. ':', 1, true) then
    return found_heads
  end
  local kept = ''
  for _, name in ipairs(terms) do
    kept = kept .. (string.match(found_heads or '', ' ' .. name .. ':%d+') or '')
  end
  return string.format('%s %s:%d', kept, term, found_heads and found or trimmed_at[term] or 0)
end

-- For each term, oldest first, the highest sequence with which its readers can continue: {term, sequence, ...}.
local function continuable(found_heads, head)
  local result, left = {}, head
  for i = #terms, 1, -1 do
    result[i * 2 - 1], result[i * 2] = terms[i], left
    if found_heads then
      left = tonumber(string.match(found_heads, ' ' .. terms[i] .. ':(%d+)') or left)
    else
      left = math.min(left, trimmed_at[terms[i]])
    end
  end
  return result
end

-- A new channel continues above this head, so that no old cursor is valid for it by chance.
local function delete_position(keys, channel, head)
  local highest = tonumber(redis.call('HGET', keys.meta, 'trimmed') or 0)
  redis.call('HDEL', keys.meta, position_field(channel))
  redis.call('HSET', keys.meta, 'trimmed', string.format('%d', math.max(head, highest)))
  redis.call('ZREM', keys.expiry, channel)
end

local function count_repair(keys)
  redis.call('HSET', keys.meta, 'repaired', string.format('%d', millis))
end

-- The states of all operations that are complete; deletes the others.
local function complete_states(keys)
  local states, envelopes = {}, {}
  for _, field in ipairs(redis.call('HKEYS', keys.operations)) do
    local id = string.match(field, '^(.*):e$')
    if id then
      envelopes[id] = true
    else
      states[field] = redis.call('HGET', keys.operations, field)
    end
  end
  for id in pairs(envelopes) do
    if not states[id] then
      redis.call('HDEL', keys.operations, id .. ':e')
    end
  end
  for id in pairs(states) do
    if not envelopes[id] then
      redis.call('HDEL', keys.operations, id)
      states[id] = nil
    end
  end
  return states
end

-- Gives final operations without a final time the present one: the times were deleted. Returns whether there were any.
local function restore_finals(keys, channel)
  local restored = 0
  for _, id in ipairs(redis.call('ZRANGE', keys.log, 0, -1)) do
    if is_final(string.match(redis.call('HGET', keys.operations, id), '^%d+ %d+ %d+ (%u+) ')) then
      restored = restored + redis.call('ZADD', keys.finals, 'NX', millis, id)
    end
  end
  if restored > 0 then
    redis.call('ZADD', keys.expiry, 'NX', millis, channel)
    count_repair(keys)
  end
  return restored > 0
end

-- Makes the log and the final times anew from the operations. Returns the new position, in parts.
local function repair(keys, channel, found, found_heads)
  local head = found
  local states = complete_states(keys)
  redis.call('DEL', keys.log)
  for id, state in pairs(states) do
    local sequence = string.match(state, '^%d+ (%d+) ')
    head = math.max(head, tonumber(sequence))
    redis.call('ZADD', keys.log, sequence, id)
  end
  restore_finals(keys, channel)
  for _, id in ipairs(redis.call('ZRANGE', keys.finals, 0, -1)) do
    if not states[id] then
      redis.call('ZREM', keys.finals, id)
    end
  end
  count_repair(keys)
  head = head + 1
  if not next(states) then
    delete_position(keys, channel, head)
    return head, head, nil
  end
  found_heads = with_found(keys, found_heads, found)
  store_position(keys, channel, head, head, found_heads)
  return head, head, found_heads
end

-- The position of a channel in parts, as split_position. The channel is repaired if a part of it is missing.
--
-- value  the position, from meta
local function checked_position(keys, channel, value)
  local head, floor, found_heads = split_position(value)
  head, floor = head or tonumber(trimmed or 0), floor or tonumber(trimmed or 0)
  local logged = redis.call('ZCARD', keys.log)
  if logged * 2 ~= redis.call('HLEN', keys.operations) or (value and logged == 0) then
    return repair(keys, channel, head, found_heads)
  end
  if not value and logged > 0 then
    -- With the positions, meta was deleted, so the epoch is another one than that of any cursor.
    local newest = redis.call('ZRANGE', keys.log, -1, -1, 'WITHSCORES')[2]
    head = math.max(head, tonumber(newest))
    found_heads = ''
    store_position(keys, channel, head, floor, found_heads)
  end
  return head, floor, found_heads
end
