-- Whose turn it is: all that waits, in one order.
-- Its functions are made when somebody competes, since each costs as much as a call.

local function turns()
  local function before(a, b)
    if a.rank ~= b.rank then return a.rank < b.rank end
    if a.key ~= b.key then return a.key < b.key end
    return a.id < b.id
  end

  local function push(heap, item)
    local at = #heap + 1
    while at > 1 do
      local up = floor(at / 2)
      if before(heap[up], item) then break end
      heap[at] = heap[up]
      at = up
    end
    heap[at] = item
  end

  local function pop(heap)
    local first, last = heap[1], table.remove(heap)
    local count, at = #heap, 1
    if count == 0 then return first end
    while true do
      local down = at * 2
      if down > count then break end
      if down < count and before(heap[down + 1], heap[down]) then down = down + 1 end
      if before(last, heap[down]) then break end
      heap[at] = heap[down]
      at = down
    end
    heap[at] = last
    return first
  end

  local function older(a, b)
    if a.since ~= b.since then return a.since < b.since end
    if a.owner ~= b.owner then return a.owner < b.owner end
    return a.place < b.place
  end

  -- Demands that are alive, by rank and flow; the asking member's own; what waits at others by rank, and whose flows.
  local function waiting(fund, mine)
    local groups, rows, own, ahead, alive = {}, {}, {}, {}, {}
    local main = #fund[8] > 1 and 2 or 1
    for owner, member in ipairs(fund[9]) do
      if member[4] ~= '' and now - member[2] <= member[3] then
        for place, each in ipairs(owner == mine and member[4] or unpack(member[4])) do
          local rank, id = each[1], each[2]
          local row = rows[rank]
          if not row then
            row = {rank, 0, 0, {}}
            rows[rank] = row
            ahead[#ahead + 1] = row
          end
          local group = row[4][id]
          if not group then
            group = {rank = rank, id = id, key = 0, entries = {}}
            row[4][id] = group
            groups[#groups + 1] = group
          end
          local entry = {
            owner = owner, place = place, weight = each[3], units = each[4], calls = each[5], floor = each[6],
            since = each[7], rank = rank, id = id,
          }
          group.entries[#group.entries + 1] = entry
          if owner == mine then
            own[#own + 1] = entry
          else
            row[2] = row[2] + each[5]
            row[3] = row[3] + each[5] * (each[4][main] or 0)
            alive[id] = true
          end
        end
      end
    end
    for _, group in ipairs(groups) do
      if #group.entries > 1 then table.sort(group.entries, older) end
    end
    table.sort(ahead, function(a, b) return a[1] < b[1] end)
    local told = {}
    for _, row in ipairs(ahead) do
      if row[2] > 0 then told[#told + 1] = {row[1], row[2], row[3]} end
    end
    return groups, own, told, alive
  end

  local function known_flows(fund, groups)  -- each flow that waits has its record
    local flows = {}
    for _, flow in ipairs(fund[10]) do flows[flow[1]] = flow end
    for _, group in ipairs(groups) do
      local flow = flows[group.id]
      if not flow then
        flow = {group.id, group.rank, 0, 0, now}
        flows[group.id] = flow
        fund[10][#fund[10] + 1] = flow
      elseif group.rank >= 0 and flow[2] ~= group.rank then
        flow[2] = group.rank
      end
      flow[5] = now
    end
    return flows
  end

  local function advance(fund, rank, by)  -- the rank's virtual time
    if by <= 0 then return end
    for _, flow in ipairs(fund[10]) do
      if flow[2] == rank then flow[3] = max(0, flow[3] - by) end
    end
  end

  local function catch_up(fund, alive, last)  -- a rank's time is where the least served of those that wait stands
    local least, ranks = {}, {}
    for _, flow in ipairs(fund[10]) do
      local rank = flow[2]
      if alive[flow[1]] then
        if not least[rank] then ranks[#ranks + 1] = rank end
        least[rank] = min(least[rank] or flow[3], flow[3])
      end
    end
    for _, rank in ipairs(ranks) do advance(fund, rank, least[rank]) end
    for rank, start in pairs(last) do
      if not least[rank] then advance(fund, rank, start) end
    end
  end

  local function service(entry, main)
    return max(1, floor(min(entry.units[main] or 0, LARGEST) * 1000 * UNIT / entry.weight))
  end

  local function needed(entry, d, main, depth)
    local units = entry.units[d] or 0
    local kept = entry.floor
    if d ~= main then kept = d == 1 and kept > 0 and 2 or 0 end
    return min(units + kept, depth)
  end

  local function fits(entry, left, depths, main)  -- how many calls like it; -1: none while so much is withheld
    local count = entry.calls
    for d, depth in ipairs(depths) do
      local units = entry.units[d] or 0
      if depth.most < LOTS and units > 0 then
        if min(units, depth.all) > depth.most then return -1 end
        local need = needed(entry, d, main, depth.most)
        if left[d] < need then return 0 end
        count = min(count, 1 + max(0, floor((left[d] - need) / units)))
      end
    end
    return count
  end

  local function rotate(group)
    local entries = group.entries
    local entry = table.remove(entries, 1)
    if entry.calls > 0 then entries[#entries + 1] = entry end
  end

  -- Goes through all that waits in its order, until a call does not fit. Returns what is left of the order.
  local function divide(groups, flows, left, depths, main, mine, granted)
    local heap, virtual, last = {}, {}, {}
    local blocked, steps = false, 0
    for _, group in ipairs(groups) do
      virtual[group.id] = flows[group.id][3]
      group.key = virtual[group.id]
      push(heap, group)
    end
    while heap[1] do
      local group = pop(heap)
      local entry = group.entries[1]
      if group.key ~= virtual[group.id] then
        group.key = virtual[group.id]
        push(heap, group)
      else
        local count = fits(entry, left, depths, main)
        steps = steps + 1
        if count == 0 or steps > STEPS then
          push(heap, group)
          break
        end
        if count < 0 then
          blocked = blocked or entry.owner == mine
          table.remove(group.entries, 1)
        else
          local cost = service(entry, main)
          if heap[1] and heap[1].rank == group.rank then
            local room = count
            for d, depth in ipairs(depths) do
              local units = entry.units[d] or 0
              if depth.most < LOTS and units > 0 then room = min(room, floor(left[d] / units)) end
            end
            count = min(count, max(1, floor((heap[1].key - group.key) / cost), floor(room / (2 * #heap + 2))))
          end
          if #group.entries > 1 then count = max(1, floor(count / #group.entries)) end
          for d = 1, #left do
            if left[d] < LOTS then left[d] = left[d] - count * (entry.units[d] or 0) end
          end
          virtual[group.id] = group.key + cost * count
          group.key = virtual[group.id]
          entry.calls = entry.calls - count
          if entry.owner == mine then
            local flow = flows[group.id]
            for d = 1, #left do granted[d] = granted[d] + count * (entry.units[d] or 0) end
            entry.taken = (entry.taken or 0) + count
            flow[3] = flow[3] + cost * count
            flow[4] = flow[4] + count * (entry.units[main] or 0)
            last[flow[2]] = flow[3] - cost
          end
          rotate(group)
        end
        if group.entries[1] then push(heap, group) end
      end
    end
    return heap, virtual, last, blocked, steps > STEPS
  end

  local function back(dim, missing, open)  -- when so many units more will be there
    if missing <= 0 then return 0 end
    local measure, ticks = shape(dim)
    if dim[1] == BUCKET then
      if open <= 0 then return HOUR_US end
      local short = min(missing, floor(LOTS / ticks)) * ticks - dim[7] % ticks
      return floor(min(HOUR_US, -floor(-short / dim[2]) * measure) * FREE / open)
    elseif dim[1] == LOG then
      return missing > dim[7] and RENEW_US or log_freed(dim, missing, measure, ticks)
    elseif dim[1] == SUM then
      return missing <= dim[6] and RENEW_US or max(0, dim[8] - now)
    end
    return 5 * LEAST_US
  end

  local function wait(fund, heap, virtual, left, depths, main, mine, open)  -- until the first of its own calls fits
    local ahead = {}
    for d = 1, #left do ahead[d] = 0 end
    for _ = 1, LOOK do
      local group = pop(heap)
      if not group then return LEAST_US end
      local entry = group.entries[1]
      if group.key ~= virtual[group.id] then
        group.key = virtual[group.id]
        push(heap, group)
      elseif entry.owner == mine then
        local longest = LEAST_US
        for d, dim in ipairs(fund[8]) do
          if depths[d].most < LOTS and (entry.units[d] or 0) > 0 then
            local need = ahead[d] + needed(entry, d, main, depths[d].most)
            longest = max(longest, back(dim, need - left[d], open))
          end
        end
        return longest
      else
        for d = 1, #left do ahead[d] = ahead[d] + (entry.units[d] or 0) end
        virtual[group.id] = group.key + service(entry, main)
        group.key = virtual[group.id]
        entry.calls = entry.calls - 1
        rotate(group)
        if group.entries[1] then push(heap, group) end
      end
    end
    return RENEW_US
  end

  return waiting, known_flows, catch_up, divide, wait
end
