-- Forgets the totals of replicas that have been gone for long: where each start has a name of its own, they would add up for ever.
--
-- Only what balances goes: nothing is outstanding, so nothing more is counted. A replica that comes again begins at 0, as any
-- counter of a process does.
-- KEYS  1 leases (see lease.lua)  2 account (see apply.lua): "replica gone" is when an incarnation was collected, ms
-- ARGV  1 how long it is kept, ms  then the counters whose sum is expected - outstanding, and at last redelivered
-- Returns {number of replicas forgotten}
local leased = {}
for _, incarnation in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  leased[replica_of(incarnation)] = true
end
local fields = redis.call('HGETALL', KEYS[2])
local account = {}
for i = 1, #fields, 2 do
  account[fields[i]] = fields[i + 1]
end
local forgotten = 0
for field, at in pairs(account) do
  local replica = string.match(field, '^(.*) gone$')
  if replica and leased[replica] then
    redis.call('HDEL', KEYS[2], field)
  elseif replica and millis - tonumber(at) >= tonumber(ARGV[1]) then
    local outstanding = tonumber(account[replica .. ' expected'] or 0)
    local its = {field, replica .. ' expected'}
    for i = 2, #ARGV do
      its[#its + 1] = replica .. ' ' .. ARGV[i]
      if i < #ARGV then
        outstanding = outstanding - tonumber(account[its[#its]] or 0)
      end
    end
    if outstanding == 0 then
      redis.call('HDEL', KEYS[2], unpack(its))
      forgotten = forgotten + 1
    end
  end
end
return {forgotten}
