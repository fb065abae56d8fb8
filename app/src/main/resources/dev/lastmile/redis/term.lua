-- Prepended to the scripts that show, change or settle sequences.
--
-- A term is the time during which one server is the primary, without a restart. Its name is the start of the server's
-- replication id, which is another one after each start and each promotion:
-- https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
-- The script asks the server itself, so a replica of this service cannot be late with it.
--
-- The field "terms" of meta has the last terms, oldest first. After a failover the data is that of the new primary, so
-- updates at the end of the term before may be missing. docs/explanation/terms.md has the rules and their argument.
local MOST_TERMS = 16
local replication = redis.call('INFO', 'replication')

local function replication_id(field)
  return string.sub(string.match(replication, field .. ':(%x+)'), 1, 12)
end

local term = replication_id('master_replid')

local function split_terms(recorded)
  local terms, known = {}, {}
  for name in string.gmatch(recorded or '', '%x+') do
    terms[#terms + 1] = name
    known[name] = true
  end
  return terms, known
end

-- Records the term if it is not the newest one. Returns the terms, oldest first.
local function record_term(meta_key, recorded)
  local terms, known = split_terms(recorded)
  if terms[#terms] == term then
    return terms
  end
  -- The term whose updates this server had when it was promoted. No script may have run in it.
  local before = replication_id('master_replid2')
  if string.match(before, '[^0]') and not known[before] then
    terms[#terms + 1] = before
  end
  terms[#terms + 1] = term
  while #terms > MOST_TERMS do
    table.remove(terms, 1)
  end
  redis.call('HSET', meta_key, 'terms', table.concat(terms, ' '))
  return terms
end
