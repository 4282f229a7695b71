-- What the asking member is granted.

local function rest(fund, open)  -- what is left
  local left = {}
  for d, dim in ipairs(fund[8]) do
    local _, ticks = shape(dim)
    local held = 0
    for _, member in ipairs(dim[1] == SLOTS and fund[9] or {}) do
      if now - member[2] <= member[3] then held = held + (whole(member)[10][d] or 0) end
    end
    left[d] = free(dim, open, held, ticks)
    if now < fund[6] and dim[1] ~= BUCKET and dim[2] > 0 then left[d] = min(left[d], 0) end
  end
  return left
end

local function bounds(fund, open)  -- what there can be while so much is open, and what there can be
  local depths = {}
  for d, dim in ipairs(fund[8]) do
    local _, ticks, capacity = shape(dim)
    if dim[2] == 0 then
      depths[d] = {most = LOTS, all = LOTS}
    elseif dim[1] == BUCKET then
      depths[d] = {most = floor(part(capacity, open) / ticks), all = floor(capacity / ticks)}
    elseif dim[1] == SUM then
      depths[d] = {most = part(dim[2], open) - dim[7] - owned(dim), all = LOTS}
    else
      depths[d] = {most = part(dim[2], open), all = dim[2]}
    end
  end
  return depths
end

local function lease(fund, member, granted, left)
  for d, dim in ipairs(fund[8]) do
    local _, ticks = shape(dim)
    local units = granted[d]
    member[10][d] = (member[10][d] or 0) + units
    dim[6] = dim[6] + units
    if dim[1] == BUCKET and dim[2] > 0 then
      dim[7] = dim[7] - units * ticks
      watch(dim, floor(dim[7] / ticks))
    elseif dim[1] == LOG and dim[2] > 0 then
      watch(dim, free(dim, fund[5], 0, ticks))
    end
  end
end

local function spare(fund, member, ask, left, granted)  -- beyond what waits, while nobody does
  local members = 0
  for _, other in ipairs(fund[9]) do
    if now - other[2] <= other[3] then members = members + 1 end
  end
  for d, dim in ipairs(fund[8]) do
    local target = ask[9][d] and ask[9][d][8] or 0
    if target > 0 then
      local held = member[10][d] or 0
      local half = floor(max(0, min(left[d], LOTS) + dim[6]) / 2)
      local units = min(target - held, floor(half / members) - held, half - dim[6], left[d])
      if units > 0 then
        granted[d] = granted[d] + units
        left[d] = left[d] - units
      end
    end
  end
end

local function demand(fund, member, ask)  -- replaces what the member said before
  local dims, before, list = #fund[8], nil, {}
  for _, each in ipairs(ask[10] or {}) do
    if each[5] > 0 then
      if not before then
        local said = member[4] ~= '' and {unpack(member[4])} or {}
        before, list[1] = {}, 6 + dims
        for o = 2, #said, said[1] or 1 do before[said[o + 1]] = said[o + 5] end
      end
      local at, units = #list, each[4]
      list[at + 1], list[at + 2], list[at + 3] = each[1], each[2], max(1, each[3])
      list[at + 4], list[at + 5], list[at + 6] = each[5], each[6], before[each[2]] or now
      for d = 1, dims do list[at + 6 + d] = units[d] or 0 end
    end
  end
  return list
end

local function alone(fund, mine)  -- nobody else waits
  for owner, other in ipairs(fund[9]) do
    if owner ~= mine and other[4] ~= '' and now - other[2] <= other[3] then return false end
  end
  return true
end

local function whole_demand(list, left, depths)  -- all that waits, by dimension, if all of it fits
  local all, kept = {}, 0
  for d = 1, #left do all[d] = 0 end
  for o = 2, #list, list[1] or 1 do
    kept = max(kept, list[o + 4], 2)
    for d, depth in ipairs(depths) do
      local units = list[o + 5 + d]
      if depth.most < LOTS and min(units, depth.all) > depth.most then return nil end
      all[d] = all[d] + units * list[o + 3]
    end
  end
  for d, units in ipairs(all) do
    if units > 0 and left[d] < LOTS and units + kept > left[d] then return nil end
  end
  return all
end

local function serve_all(fund, list, all, left, granted)  -- at once: who competes with nobody gets no lead
  local main, flows, served = #fund[8] > 1 and 2 or 1, {}, {}
  local rows = {}
  for d, units in ipairs(all) do
    granted[d] = units
    if left[d] < LOTS then left[d] = left[d] - units end
  end
  if list[1] then
    for _, flow in ipairs(fund[10]) do flows[flow[1]] = flow end
  end
  for o = 2, #list, list[1] or 1 do
    local rank, id, units = list[o], list[o + 1], list[o + 3] * list[o + 5 + main]
    local flow = flows[id]
    if not flow then
      flow = {id, rank, 0, 0, now}
      flows[id] = flow
      fund[10][#fund[10] + 1] = flow
    elseif rank >= 0 then
      flow[2] = rank
    end
    flow[4], flow[5] = flow[4] + units, now
    local row = rows[id]
    if not row then
      row = {id, 0, 0}
      rows[id] = row
      served[#served + 1] = row
    end
    row[2], row[3] = flow[4], row[3] + units
  end
  return served
end

local function forget_flows(fund, alive)
  local kept, many = {}, #fund[10] > FLOWS
  for _, flow in ipairs(fund[10]) do
    local idle = now - flow[5]
    if alive[flow[1]] or not many and idle < IDLE_US and (flow[3] > 0 or idle < FREE) then kept[#kept + 1] = flow end
  end
  fund[10] = kept
end

local function serve(fund, at, ask, open)  -- divides what is left, and grants this member its part
  local member, main = fund[9][at], #fund[8] > 1 and 2 or 1
  local list, granted = demand(fund, member, ask), {}
  local left, depths = rest(fund, open), bounds(fund, open)
  for d = 1, #left do granted[d] = 0 end
  local all = alone(fund, at) and whole_demand(list, left, depths)
  if all then
    local served = serve_all(fund, list, all, left, granted)
    member[4] = ''
    spare(fund, member, ask, left, granted)
    lease(fund, member, granted, left)
    forget_flows(fund, {})
    return granted, -1, {}, served
  end
  local waiting, known_flows, catch_up, divide, keep, wait = turns()
  local groups, ahead, alive = waiting(fund, at, list)
  local flows, competing, got = known_flows(fund, groups), {}, {}
  for _, group in ipairs(groups) do competing[group.id] = true end
  catch_up(fund, competing, {})
  local heap, virtual, ends, blocked, cut = divide(groups, flows, left, depths, main, granted, got)
  local missing, served = keep(member, alive, flows, got)
  local again = -1
  if missing then
    again = blocked and FREE or cut and LEAST_US or wait(fund, heap, virtual, left, depths, main, open)
    for _, dim in ipairs(fund[8]) do  -- before it opens nobody knows what is left
      if now < fund[6] and dim[1] ~= BUCKET and dim[2] > 0 then again = min(fund[6] - now, LEASE_US) end
    end
  elseif not heap[1] then
    spare(fund, member, ask, left, granted)
  end
  lease(fund, member, granted, left)
  catch_up(fund, alive, ends)
  forget_flows(fund, alive)
  return granted, again, ahead, served
end
