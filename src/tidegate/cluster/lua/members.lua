-- One beat of a member: `tests.cluster.oracle.members` says what it does, and why.
-- KEYS[1]: the membership. ARGV[1]: `Beat` as msgpack. Returns `Stand` as msgpack.
--
-- roll:   {version, state, at, expected, gone_ppm, until, members, born}
-- member: {name, incarnation, heard, held_ppm, share_us, lost}; held: the most that it may take to be its share

local floor, max, min = math.floor, math.max, math.min
local OK, LATE = 0, 2
local FREE = 1000000

local time = redis.call('TIME')
local now = tonumber(time[1]) * FREE + tonumber(time[2])

local function sum(roll, lost_only)
  local held = 0
  for _, member in ipairs(roll[7]) do
    if not lost_only or member[6] == 1 then held = held + member[4] end
  end
  return held
end

local function unknown(roll)  -- what members may use that this membership does not know of
  if now > roll[6] then return 0 end
  local rest = max(0, FREE - sum(roll))
  return #roll[7] < roll[4] and rest or min(roll[5], rest)
end

local function find(roll, name)
  for at, member in ipairs(roll[7]) do
    if member[1] == name then return at, member end
  end
end

local function look(roll)  -- who is lost, who is forgotten; a new state when everybody was
  local heard = #roll[7] == 0
  for at = #roll[7], 1, -1 do
    local member = roll[7][at]
    local silent = now - member[3]
    if silent <= LOST_US then heard = true else member[6] = 1 end
  end
  if not heard then roll[2] = max(now, roll[2] + 1) end
  for at = #roll[7], 1, -1 do
    local member = roll[7][at]
    if member[6] == 1 and now - member[3] > member[5] then table.remove(roll[7], at) end
  end
end

local function claim(roll, beat)  -- what a member knew before this membership was born
  roll[4] = max(roll[4], beat[9] or 0)
  roll[5] = max(roll[5], FREE - (beat[8] or 0))
  roll[6] = max(roll[6], roll[8] + beat[4])
end

local function share(roll, member, known)  -- shrink before grow
  local there = 0
  for _, other in ipairs(roll[7]) do
    if other[6] == 0 then there = there + 1 end
  end
  local others = sum(roll) - member[4] + unknown(roll)
  if member[6] == 1 then return member[4] end
  local told = max(0, min(floor(FREE / there), FREE - others))
  member[4] = max(told, known)
  return told
end

local function beaten()
  local beat, stored = cmsgpack.unpack(ARGV[1]), redis.call('GET', KEYS[1])
  local roll = stored and cmsgpack.unpack(stored) or {1, now, now, 0, 0, 0, {}, now}
  now = max(now, roll[3])
  if beat[3] > 0 and now > beat[3] then return cmsgpack.pack({LATE, now, roll[2], 0, 0, 0, false}) end
  roll[3] = now
  look(roll)
  local at, member = find(roll, beat[1])
  if member and member[2] ~= beat[2] then
    table.remove(roll[7], at)
    member = nil
  end
  if not member then
    local known = now - roll[8] <= beat[4] and beat[7] or 0  -- else it was forgotten, and has stopped by now
    if known > 0 then claim(roll, beat) end
    member = {beat[1], beat[2], now, known, beat[4], known > 0 and 1 or 0}
    at = #roll[7] + 1
    roll[7][at] = member
  end
  member[3], member[5] = now, beat[4]
  if beat[5] then member[6] = 0 end
  local told = share(roll, member, beat[7] or 0)
  if beat[6] then table.remove(roll[7], at) end
  local open = max(0, FREE - sum(roll, true) - unknown(roll))
  local there = 0
  for _, other in ipairs(roll[7]) do
    if other[6] == 0 then there = there + 1 end
  end
  redis.call('SET', KEYS[1], cmsgpack.pack(roll), 'PX', 3600000)
  return cmsgpack.pack({OK, now, roll[2], told, open, there, member[6] == 1})
end

return beaten()
