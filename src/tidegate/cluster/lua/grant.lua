-- What the asking member is granted.

local function bounds(fund, open)  -- what is left, what there can be while so much is open, what there can be
  local left, depths = {}, {}
  for d, dim in ipairs(fund[8]) do
    local _, ticks, capacity = shape(dim)
    local held = 0
    for _, member in ipairs(dim[1] == SLOTS and fund[9] or {}) do
      if now - member[2] <= member[3] then held = held + (whole(member)[10][d] or 0) end
    end
    left[d] = free(dim, open, held, ticks)
    if dim[2] == 0 then
      depths[d] = {most = LOTS, all = LOTS}
    elseif dim[1] == BUCKET then
      depths[d] = {most = floor(part(capacity, open) / ticks), all = floor(capacity / ticks)}
    elseif dim[1] == SUM then
      depths[d] = {most = part(dim[2], open) - dim[7], all = LOTS}
    else
      depths[d] = {most = part(dim[2], open), all = dim[2]}
    end
    if now < fund[6] and dim[1] ~= BUCKET and dim[2] > 0 then left[d] = min(left[d], 0) end
  end
  return left, depths
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

local function demand(member, ask)  -- replaces what the member said before
  local since, list = {}, {}
  if member[4] ~= '' then
    for _, each in ipairs(unpack(member[4])) do since[each[2]] = each[7] end
  end
  for i, each in ipairs(ask[10] or {}) do
    if each[5] > 0 then
      list[#list + 1] = {each[1], each[2], max(1, each[3]), each[4], each[5], each[6], since[each[2]] or now}
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
  for _, each in ipairs(list) do
    kept = max(kept, each[6], 2)
    for d, depth in ipairs(depths) do
      local units = each[4][d] or 0
      if depth.most < LOTS and min(units, depth.all) > depth.most then return nil end
      all[d] = all[d] + units * each[5]
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
  if #list > 0 then
    for _, flow in ipairs(fund[10]) do flows[flow[1]] = flow end
  end
  for _, each in ipairs(list) do
    local id, units = each[2], each[5] * (each[4][main] or 0)
    local flow = flows[id]
    if not flow then
      flow = {id, each[1], 0, 0, now}
      flows[id] = flow
      fund[10][#fund[10] + 1] = flow
    elseif each[1] >= 0 then
      flow[2] = each[1]
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

local function keep(member, own)  -- what waits still
  local list = {}
  for _, entry in ipairs(own) do
    if entry.calls > 0 then
      list[#list + 1] = {
        entry.rank, entry.id, entry.weight, entry.units, entry.calls, entry.floor, entry.taken and now or entry.since,
      }
    end
  end
  member[4] = #list > 0 and pack(list) or ''
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
  local list, granted = demand(member, ask), {}
  local left, depths = bounds(fund, open)
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
  member[4] = #list > 0 and list or ''
  local waiting, known_flows, catch_up, divide, wait = turns()
  local groups, own, ahead, alive = waiting(fund, at)
  local flows, competing, before = known_flows(fund, groups), {}, {}
  for id, flow in pairs(flows) do before[id] = flow[4] end
  for _, group in ipairs(groups) do competing[group.id] = true end
  catch_up(fund, competing, {})
  local heap, virtual, last, blocked, cut = divide(groups, flows, left, depths, main, at, granted)
  keep(member, own)
  local missing = false
  for _, entry in ipairs(own) do
    if entry.calls > 0 then
      alive[entry.id] = true
      missing = true
    end
  end
  local again = -1
  if missing then
    again = blocked and FREE or cut and LEAST_US or wait(fund, heap, virtual, left, depths, main, at, open)
    for _, dim in ipairs(fund[8]) do  -- before it opens nobody knows what is left
      if now < fund[6] and dim[1] ~= BUCKET and dim[2] > 0 then again = min(fund[6] - now, LEASE_US) end
    end
  elseif not heap[1] then
    spare(fund, member, ask, left, granted)
  end
  lease(fund, member, granted, left)
  catch_up(fund, alive, last)
  local served, said = {}, {}
  for _, entry in ipairs(own) do
    if not said[entry.id] then
      said[entry.id] = true
      served[#served + 1] = {entry.id, flows[entry.id][4], flows[entry.id][4] - before[entry.id]}
    end
  end
  forget_flows(fund, alive)
  return granted, again, ahead, served
end
