-- Prepended to the scripts that show or change sequences, or count deliveries. KEYS[1] is meta.
--
-- A term is the time during which one server is the primary of the partition, without a restart. Its name is the start of
-- the server's replication id, which is another one after each start and each promotion, and a number that rises with
-- each term of the partition: on Redis Cluster a partition may leave a server and come back.
-- https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
-- The script asks the server itself, so a replica of this service cannot be late with it.
--
-- The field "terms" of meta has the last terms, oldest first: "term:trimmed term:trimmed ...", each with the highest head
-- of a deleted channel when it began. After a failover the data is that of the new primary, so updates at the end of the
-- term before may be missing. docs/explanation/terms.md has the rules and their argument.
local MOST_TERMS = 16
local ID_DIGITS = 12
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then
  return redis.error_reply('READONLY the server is a replica')
end

local function replication_id(field)
  return string.sub(string.match(replication, field .. ':(%x+)') or '', 1, ID_DIGITS)
end

local recorded_terms, trimmed = unpack(redis.call('HMGET', KEYS[1], 'terms', 'trimmed'))

-- The terms, oldest first, with that of this server last; and by term, the highest head of a deleted channel when it
-- began.
local terms, trimmed_at = {}, {}
for name, highest in string.gmatch(recorded_terms or '', '(%x+):(%d+)') do
  terms[#terms + 1] = name
  trimmed_at[name] = tonumber(highest)
end

local function is_last(id)
  return #terms > 0 and string.sub(terms[#terms], 1, ID_DIGITS) == id
end

local function add_term(id)
  local number = #terms > 0 and tonumber(string.sub(terms[#terms], ID_DIGITS + 1), 16) or 0
  local name = string.format('%s%x', id, number + 1)
  terms[#terms + 1] = name
  trimmed_at[name] = tonumber(trimmed or 0)
end

local term_is_recorded = is_last(replication_id('master_replid'))
if not term_is_recorded then
  -- The term whose updates this server had when it was promoted. No script may have run in it.
  local before = replication_id('master_replid2')
  if string.match(before, '[^0]') and not is_last(before) then
    add_term(before)
  end
  add_term(replication_id('master_replid'))
  while #terms > MOST_TERMS do
    trimmed_at[table.remove(terms, 1)] = nil
  end
end
local term = terms[#terms]

-- Records the term of this server. A read does not: it works also where Redis refuses writes.
local function record_term()
  if term_is_recorded then
    return
  end
  local text = {}
  for i, name in ipairs(terms) do
    text[i] = string.format('%s:%d', name, trimmed_at[name])
  end
  redis.call('HSET', KEYS[1], 'terms', table.concat(text, ' '))
end
