-- Deletes the totals of replicas whose last lease ended long ago. Without it they would grow without limit where each
-- start of a replica has a new name.
--
-- Only totals without outstanding deliveries are deleted, so their counters do not change any more. A replica that
-- starts again begins at 0, as the counters of any process do.
-- KEYS  1 leases (see lease.lua)  2 account (see update.lua): "replica gone" is the time of the reaping, ms
-- ARGV  1 time for which they are kept, ms  then the counters whose sum is expected - outstanding, and last redelivered
-- Returns {number of replicas deleted}
local leases_key, account_key = unpack(KEYS)
local kept_millis = ARGV[1]
local leased = {}
for _, incarnation in ipairs(redis.call('ZRANGE', leases_key, 0, -1)) do
  leased[replica_of(incarnation)] = true
end
local fields = redis.call('HGETALL', account_key)
local account = {}
for i = 1, #fields, 2 do
  account[fields[i]] = fields[i + 1]
end
local deleted = 0
for field, at in pairs(account) do
  local replica = string.match(field, '^(.*) gone$')
  if replica and leased[replica] then
    redis.call('HDEL', account_key, field)
  elseif replica and millis - tonumber(at) >= tonumber(kept_millis) then
    local outstanding = tonumber(account[replica .. ' expected'] or 0)
    local its = {field, replica .. ' expected'}
    for i = 2, #ARGV do
      its[#its + 1] = replica .. ' ' .. ARGV[i]
      if i < #ARGV then
        outstanding = outstanding - tonumber(account[its[#its]] or 0)
      end
    end
    if outstanding == 0 then
      redis.call('HDEL', account_key, unpack(its))
      deleted = deleted + 1
    end
  end
end
return {deleted}
