-- The exchange itself: who may take part, then all of it in order.

local function told(status, epoch, granted, left, lapsed, again, ahead, served, used, memory, limits)
  return '\156' .. pack(status, now, epoch, granted, left, lapsed, again, ahead, served, used) ..
    (memory and pack(memory) or '\192') .. pack(limits)
end

local function refused(ask, status, epoch, again)
  local zeros = {}
  for d = 1, #ask[9] do zeros[d] = 0 end
  return told(status, epoch, zeros, zeros, false, again, {}, {}, {}, nil, {})
end

local function find(fund, name)
  for at, member in ipairs(fund[9]) do
    if member[1] == name then return at, whole(member) end
  end
end

local function sweep(fund)  -- leases that were not renewed, members that nobody has heard of for long
  for at = #fund[9], 1, -1 do
    local member = fund[9][at]
    local silent = now - member[2]
    if silent > member[3] and member[5] == 1 then void(fund, member) end
    if silent > LINGER_US then give_slots_back(fund, member) end
    if silent > FORGET_US then drop(fund, at) end
  end
end

local function unheard(fund)  -- nobody has said anything for a lease
  for _, member in ipairs(fund[9]) do
    if now - member[2] <= LEASE_US then return false end
  end
  return true
end

local function knows(fund, ask)  -- all that this member was told
  local _, member = find(fund, ask[1])
  return member and member[8] == ask[2] and member[9] + 1 == ask[3] and ask[4] == fund[2]
end

-- The fund as the member may use it; or nothing, and what it is told instead.
local function entered(fund, ask)
  local restore, epoch = ask[12], ask[4]
  if not fund then
    if restore then
      local _, found = losses()
      local made = found(ask, false, now + LEASE_US)
      for d, dim in ipairs(made[8]) do
        if dim[1] == BUCKET and restore[d] then
          local _, ticks = shape(dim)
          dim[7] = min(0, max(restore[d][1], -floor(LOTS / ticks))) * ticks
        end
      end
      return made
    end
    if epoch ~= 0 then return nil, refused(ask, LOST, 0, -1) end
    if now < ask[8] + LEASE_US then return nil, refused(ask, OK, 0, ask[8] + LEASE_US - now) end
    local _, found = losses()
    return found(ask, true, now)
  end
  if ask[8] ~= fund[3] then
    if not restore and epoch ~= 0 then return nil, refused(ask, LOST, fund[2], -1) end
    if ask[8] < fund[3] and not unheard(fund) then return nil, refused(ask, LOST, fund[2], -1) end
    local begin = losses()
    begin(fund, ask, now + LEASE_US)
    return fund
  end
  if knows(fund, ask) then return fund end
  if restore then
    if epoch ~= 0 and (epoch == fund[2] or fund[7] == 1) then
      local begin = losses()
      begin(fund, ask, now + LEASE_US)
    end
  elseif epoch ~= 0 then
    return nil, refused(ask, LOST, fund[2], -1)
  end
  return fund
end

local function seat(fund, ask)  -- the member's record; that of an incarnation before it is gone
  local at, member = find(fund, ask[1])
  if member and (member[8] ~= ask[2] or member[9] + 1 ~= ask[3]) then
    drop(fund, at)
    member = nil
  end
  if not member then
    at = #fund[9] + 1
    member = {ask[1], now, ask[6], '', 0, 0, false, ask[2], 0, {}, {}, 0, {}, '', 0}
    for d = 1, #fund[8] do member[10][d], member[11][d], member[13][d] = 0, 0, 0 end
    fund[9][at] = member
  end
  return at, member
end

local function expiry(fund)  -- milliseconds after which it is as if it had never been
  local longest = 0
  for _, dim in ipairs(fund[8]) do
    local measure, _, capacity = shape(dim)
    if dim[1] == BUCKET and dim[2] > 0 then
      longest = max(longest, min(40 * 24 * HOUR_US, floor((capacity - dim[7]) / dim[2]) * measure))
    elseif dim[1] == SUM then
      longest = max(longest, min(400 * 24 * HOUR_US, dim[8] - now))
    else
      longest = max(longest, dim[3] + dim[4])
    end
  end
  return floor((longest + FORGET_US) / 1000)
end

local function save(fund)
  for at, member in ipairs(fund[9]) do
    if not member[7] then
      local busy, odd, rest = 0, 0, {}
      for d, dim in ipairs(fund[8]) do
        if (member[10][d] or 0) > 0 and dim[1] ~= SLOTS then busy = 1 end
        if (member[13][d] or 0) ~= dim[2] then odd = 1 end
      end
      for i = 8, 15 do rest[i - 7] = member[i] end
      fund[9][at] = {member[1], member[2], member[3], member[4], busy, odd, pack(rest)}
    end
  end
  redis.call('SET', KEYS[1], pack(fund), 'PX', expiry(fund))
end

local function repeated(fund, member)  -- it was done already
  if now - member[2] > member[3] then void(fund, member) end
  member[2] = now
  local answer = member[14]
  if member[12] == 1 then
    answer = unpack(answer)
    for d = 1, #answer[4] do
      if fund[8][d] and fund[8][d][1] ~= SLOTS then answer[4][d] = 0 end
    end
    answer = told(answer[1], answer[3], answer[4], answer[5], true, answer[7], answer[8], answer[9], answer[10], nil,
      answer[12])
  end
  save(fund)
  return answer
end

local function exchange()
  local ask, stored = unpack(ARGV[1]), redis.call('GET', KEYS[1])
  local fund = stored and unpack(stored) or nil
  if fund then
    now = max(now, fund[4])
    local _, member = find(fund, ask[1])
    if member and member[8] == ask[2] and ask[3] <= member[9] then
      if ask[3] < member[9] then return refused(ask, LATE, ask[4], -1) end
      if member[15] == 1 or not ask[12] then return repeated(fund, member) end
    end
  end
  if ask[5] > 0 and now > ask[5] then return refused(ask, LATE, ask[4], -1) end
  local answer
  fund, answer = entered(fund, ask)
  if answer then return answer end
  local open = min(fund[5], ask[7])
  fund[4], fund[5] = now, ask[7]
  sweep(fund)
  local lost = not knows(fund, ask)
  local at, member = seat(fund, ask)
  member[9], member[2], member[3], member[15] = ask[3], now, ask[6], ask[12] and 1 or 0
  local lapsed = member[12] == 1
  member[12] = 0
  configure(fund, member, ask, open)
  for _, dim in ipairs(fund[8]) do refill(dim, open) end
  local _, _, merge, remembered
  if ask[12] or ask[11] then _, _, merge, remembered = losses() end
  if ask[12] then merge(fund, member, ask[12], lost, ask[4]) end
  for _, dim in ipairs(fund[8]) do
    if now >= fund[6] then fold(dim) end
  end
  settle(fund, member, ask, ask[7])
  if ask[13] then
    ask[10] = {}
    for _, said in ipairs(ask[9]) do said[8] = 0 end
  end
  local granted, again, ahead, served = serve(fund, at, ask, ask[7])
  local left, used, limits = {}, {}, {}
  local now_left = rest(fund, ask[7])
  for d, dim in ipairs(fund[8]) do left[d], used[d], limits[d] = now_left[d], dim[5], dim[2] end
  local function say(memory)
    return told(OK, fund[2], granted, left, lapsed, again, ahead, served, used, memory, limits)
  end
  member[14] = say(nil)
  if ask[13] then drop(fund, at) end
  answer = ask[11] and say(remembered(fund)) or member[14]
  save(fund)
  return answer
end

return exchange()
end

return main()
