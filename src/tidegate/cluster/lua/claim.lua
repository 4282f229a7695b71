-- Who this prefix belongs to: one cluster, and in it one gate for each member's name. `tidegate.cluster.claims`.
-- KEYS[1]: the marker, a hash. ARGV[1]: {cluster as known or "", cluster if there is none, format, member, home,
-- life_us, leaving} as msgpack. Returns {status, cluster, format, now} as msgpack.

local OK, OTHER, FORMAT, TAKEN = 0, 1, 2, 3

local known, fresh, format, member, home, life, leaving = unpack(cmsgpack.unpack(ARGV[1]))
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local field = 'member ' .. member

local function told(status, cluster, its)
  return cmsgpack.pack({status, cluster, its, now})
end

local cluster, its = redis.call('HGET', KEYS[1], 'cluster'), redis.call('HGET', KEYS[1], 'format')
if cluster and known ~= '' and cluster ~= known then return told(OTHER, cluster, tonumber(its)) end
if its and tonumber(its) ~= format then return told(FORMAT, cluster, tonumber(its)) end
cluster = cluster or (known ~= '' and known) or fresh
local holder = redis.call('HGET', KEYS[1], field)
local whose, till = string.match(holder or '', '^(%S+) (%d+)$')
if whose and whose ~= home and tonumber(till) > now then return told(TAKEN, cluster, format) end
if leaving then
  redis.call('HDEL', KEYS[1], field)
else
  redis.call('HSET', KEYS[1], 'cluster', cluster, 'format', format, field, string.format('%s %.0f', home, now + life))
end
redis.call('PEXPIRE', KEYS[1], 2592000000)
return told(OK, cluster, format)
