-- Prepended to the scripts that show or change sequences, or count deliveries.
--
-- A term is the time during which one server is the primary, without a restart. Its name is the start of the server's
-- replication id, which is another one after each start and each promotion:
-- https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
-- The script asks the server itself, so a replica of this service cannot be late with it.
--
-- The field "terms" of meta has the last terms, oldest first: "term:trimmed term:trimmed ...", each with the highest head
-- of a deleted channel when it began. After a failover the data is that of the new primary, so updates at the end of the
-- term before may be missing. docs/explanation/terms.md has the rules and their argument.
local MOST_TERMS = 16
local replication = redis.call('INFO', 'replication')
if string.find(replication, 'role:slave', 1, true) then
  return redis.error_reply('READONLY the server is a replica')
end

local function replication_id(field)
  return string.sub(string.match(replication, field .. ':(%x+)') or '', 1, 12)
end

local term = replication_id('master_replid')

-- The terms, oldest first; and by term, the highest head of a deleted channel when it began.
local function split_terms(recorded)
  local terms, trimmed_at = {}, {}
  for name, trimmed in string.gmatch(recorded or '', '(%x+):(%d+)') do
    terms[#terms + 1] = name
    trimmed_at[name] = tonumber(trimmed)
  end
  return terms, trimmed_at
end

-- As split_terms, with the term of this server, which is recorded or will be.
local function present_terms(recorded, trimmed)
  local terms, trimmed_at = split_terms(recorded)
  if terms[#terms] == term then
    return terms, trimmed_at
  end
  local function add(name)
    terms[#terms + 1] = name
    trimmed_at[name] = tonumber(trimmed or 0)
  end
  -- The term whose updates this server had when it was promoted. No script may have run in it.
  local before = replication_id('master_replid2')
  if string.match(before, '[^0]') and not trimmed_at[before] then
    add(before)
  end
  add(term)
  while #terms > MOST_TERMS do
    trimmed_at[table.remove(terms, 1)] = nil
  end
  return terms, trimmed_at
end

-- Records the term if it is not the newest one.
local function record_term(meta_key, recorded, trimmed)
  if string.find(recorded or '', term .. ':%d+$') then
    return
  end
  local terms, trimmed_at = present_terms(recorded, trimmed)
  local text = {}
  for i, name in ipairs(terms) do
    text[i] = string.format('%s:%d', name, trimmed_at[name])
  end
  redis.call('HSET', meta_key, 'terms', table.concat(text, ' '))
end
